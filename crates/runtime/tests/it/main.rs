//! What the runtime promises, over its public API: engines over a journal in memory that fails as a test tells it to.
//!
//! Time is virtual wherever it matters: a paused clock goes on when every task waits, so nothing is slept through.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod announcing;
mod asking;
mod batching;
mod blocked;
mod bomb;
mod bounds;
mod chance;
mod claims;
mod compile_fail;
mod deadlines;
mod durable_answers;
mod durable_states;
mod failed_appends;
mod failures;
mod fragile;
mod health;
mod initial_states;
mod invalid_input;
mod listener;
mod lost_stores;
mod neighbours;
mod note;
mod observed;
mod outages;
mod overtaken;
mod panicking_drops;
mod panicking_ids;
mod panicking_log;
mod panics;
mod partition_failures;
mod passivation;
mod read_ahead;
mod relied_upon;
mod remembering;
mod resumed;
mod retries;
mod rig;
mod separate_snapshots;
mod shutdown;
mod size_limits;
mod snapshots;
mod start_errors;
mod stored_models;
mod stuck;
mod takeover;
mod threads;
mod unread_commands;
mod unreadable;
mod unreadable_values;
mod wire;
