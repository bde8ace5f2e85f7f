//! Real servers under test: they live exactly as long as they should, and do what they are asked.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod life;
mod nats;
mod orphans;
mod pgbouncer;
mod probes;
mod settings;
mod shared;
