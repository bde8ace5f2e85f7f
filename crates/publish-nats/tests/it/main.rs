//! Publishing to a real server.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod duplicates;
mod messages;
mod outages;
mod refusals;
mod rig;
