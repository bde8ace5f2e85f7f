//! A partition: one supervised actor that hosts the cells of its entities, one turn at a time.
//!
//! ```text
//!   callers ──▶ inbox of each kind ─┐
//!   lane writer ──▶ committed ──────┤ door ──knock──▶ actor: a turn ──▶ cells ──▶ outputs
//!   reader ──▶ found ───────────────┤                                               │
//!   alarm clock ────────────────────┘            lane queue, reader, saver, callers ◀┘
//! ```
//! A turn takes everything that was left, steps the cells, and sends out one submission for all they produced. It never
//! waits for the journal.

mod actor;
mod door;
mod entity_cap;
mod served;

pub(crate) use actor::{PartitionActor, PartitionPlan};
pub(crate) use door::{Door, PartitionMessage};
pub(crate) use entity_cap::EntityCap;
pub(crate) use served::{Around, ServedPartition};
