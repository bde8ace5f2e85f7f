//! Carries frames of bytes between nodes.
