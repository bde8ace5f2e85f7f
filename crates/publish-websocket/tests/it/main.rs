//! Live events through a real client on the loopback.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asking;
mod behind;
mod delivering;
mod ending;
mod rig;
