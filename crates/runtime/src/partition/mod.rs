//! A partition: one supervised actor that hosts the cells of its entities, one turn at a time.
//!
//! ```text
//!   callers ──▶ inbox of each kind ─┐
//!   lane writer ──▶ committed ──────┤ handle ──notify──▶ actor: a turn ──▶ cells ──▶ outputs
//!   reader ──▶ found ───────────────┤                                               │
//!   alarm clock ────────────────────┘            lane queue, reader, saver, callers ◀┘
//! ```
//! A turn takes everything that was left, steps the cells, and sends out one submission for all they produced. It never
//! waits for the journal. The handle outlives its actors: a partition can be closed and opened again.

mod actor;
mod entity_cap;
mod factory;
mod handle;
mod mailbox;
mod served;
mod shell;
mod state;
mod surroundings;
mod table;

pub(crate) use actor::PartitionActor;
pub(crate) use entity_cap::EntityCap;
pub(crate) use factory::{HostPlan, PartitionFactory};
pub(crate) use handle::{PartitionHandle, PartitionHandles};
pub(crate) use mailbox::PartitionMessage;
pub use state::PartitionState;
pub(crate) use surroundings::Surroundings;
pub(crate) use table::PartitionTable;
