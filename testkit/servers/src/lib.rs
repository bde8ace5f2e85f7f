//! Real servers for tests, private to whoever starts them.
