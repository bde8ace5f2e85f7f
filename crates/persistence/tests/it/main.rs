//! What persistence promises, over its public API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod allocations;
mod codecs;
mod contract_growth;
mod golden;
mod group_commit;
mod hostile_bytes;
mod metadata;
mod recent_commands;
mod round_trips;
mod seed;
mod serializer;
mod size_limits;
