//! What reads the journal, over the store in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod counted_bytes;
mod customer;
mod entity_list;
mod events;
mod history;
mod paging;
mod projecting;
mod publishing;
mod rig;
mod state_changes;
mod subscribing;
