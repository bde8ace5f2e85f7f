//! The journal in memory: for tests, for trying things out, and for measuring what everything above a store costs.
//!
//! [`MemoryStore`] keeps every promise of [`actum_persistence::store`] and [`actum_persistence::progress`] but one: what it holds is gone with the process.
//! It has one file for each contract, as the other stores have.
//!
//! ```text
//! MemoryStore ── Writers            who may write; held shared by every write, exclusively by claim and revoke
//!             │             Members  of a cluster, and who owns what
//!             ├─ LaneLog, one a lane: Log      all events of the lane, in chunks
//!             │                       History  of each entity: head, floor, and where its events lie in the log
//!             ├─ Snapshots
//!             ├─ States
//!             └─ MemoryTarget      the progress of projections, and rows that are committed with it; usable by itself
//! ```
//! Locks are taken in this order: writers, snapshots, a lane; states are behind writers alone, and the target is by itself.

mod arena;
mod entity_list;
mod entity_table;
mod event_store;
mod history;
mod lane_log;
mod lease_clock;
mod log;
mod member_store;
mod members;
mod progress;
mod recovery_store;
mod snapshot_store;
mod snapshots;
mod state_store;
mod states;
mod store;
mod writer_store;
mod writers;

pub use lease_clock::ClockStep;
pub use progress::{MemoryRows, MemoryTarget, MemoryTransaction};
pub use store::MemoryStore;
