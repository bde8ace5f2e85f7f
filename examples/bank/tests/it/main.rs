//! The bank, from its rules to its processes.

mod crash;
mod processes;
mod program;
mod seed;
