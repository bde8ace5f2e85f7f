//! The store through its public API, on a real server.
