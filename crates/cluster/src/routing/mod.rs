//! Takes commands to the node that owns their entity, and serves those that come from other nodes.
//!
//! ```text
//! deliver ─> owner known and connected? ── no ──> held ── table, link or time changes ──> again
//!                  │ yes                            ▲
//!                  ▼                                │ it is not the owner; it was never sent; the link ended and the
//!                sent ──> reply ──> answered        │ command has an id
//!                  └────────────────────────────────┘
//! ```
//! A command whose time is over is answered with a time-out wherever it is. One that may have been applied is sent again only
//! under its command id, by which the entity knows it; without one the outcome is unknown. A read of the state is sent again.

mod held_calls;
mod inbound;
mod peers;
mod placement_table;
mod routed_call;
mod router;
mod sent_calls;

pub(crate) use inbound::{Inbound, NO_TICKET};
pub(crate) use peers::Peers;
pub(crate) use placement_table::PlacementTable;
pub(crate) use router::{Router, RouterEntrance};
