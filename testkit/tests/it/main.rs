//! The testkit under test: what passes, and, for every way to fail, with which words it does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod broken;
mod compile_fail;
mod failing;
mod faults;
mod flawed_stores;
mod given_checks;
mod golden;
mod messages;
mod network;
mod preferences;
mod projections;
mod step_checks;
mod steps;
