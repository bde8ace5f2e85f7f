//! What the runtime promises, over its public API: engines over a journal in memory that fails as a test tells it to.
//!
//! Time is virtual wherever it matters: a paused clock goes on when every task waits, so nothing is slept through.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod asking;
mod failed_appends;
mod rig;
mod snapshots;
