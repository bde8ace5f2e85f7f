//! The model over its public API: every value type, payloads and their evolution, and what the compiler refuses.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command_set;
mod compile_fail;
mod effect;
mod entity_id;
mod entity_key;
mod metadata;
mod partition;
mod payload;
mod plain;
mod position;
mod trace_context;
mod writes;
