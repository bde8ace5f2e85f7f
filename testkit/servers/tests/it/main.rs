//! The servers themselves, started for real.
