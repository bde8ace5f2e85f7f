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
mod cells;
mod door;
mod entity_cap;
mod found;
mod handler_run;
mod handling;
mod hosted;
mod inbox;
mod kind_host;
mod taken;
mod turns;

pub(crate) use actor::{PartitionActor, PartitionPlan};
pub(crate) use door::{Door, PartitionMessage};
pub(crate) use entity_cap::EntityCap;
pub(crate) use found::{Found, Hosted};
pub(crate) use hosted::{Beat, HostedKind};
pub(crate) use inbox::{Delivery, Inbox, Refuses};
pub(crate) use kind_host::KindHost;
pub(crate) use turns::Partition;
