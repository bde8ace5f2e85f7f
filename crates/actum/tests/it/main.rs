//! What the facade gives to those who build on it.

mod exports;
mod settings;
