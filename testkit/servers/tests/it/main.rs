//! Real servers under test: they live exactly as long as they should, and do what they are told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod life;
mod looks;
mod orphans;
mod pgbouncer;
mod settings;
mod shared;
