//! Hosts entities: [`Cell`](cell::Cell) is one entity as a pure state machine, [`PartitionHost`](partition::PartitionHost) hosts
//! many of them and steps them in turns. What goes in is left in inboxes and mail; what comes out goes through
//! [`Shell`](partition::Shell). No runtime, no actors, no clock of its own: so a simulation can drive it by the million
//! steps.
//!
//! An internal crate of Actum's: nothing here is an API to build on but what `actum-runtime` exports again.
#![expect(
    missing_docs,
    reason = "an internal crate: what its one user must know is documented, not every field and function"
)]

mod ask_error;
mod bound;
mod burst;
pub mod cell;
mod failure;
mod id_budget;
mod idle_thread;
mod leave_reason;
mod load;
mod moment;
mod observations;
mod observer;
pub mod partition;
pub mod settings;
#[cfg(test)]
mod test_counter;

pub use actum_model::Receipt;
pub use actum_persistence::group_commit::CommittedBatch;
#[doc(hidden)]
pub use actum_persistence::panics::log_safely;
pub use ask_error::AskError;
pub use bound::Bound;
pub use burst::{Burst, Report};
pub use failure::Failure;
pub use id_budget::{ForgottenFor, IdBudget};
pub use idle_thread::IdleThread;
pub use leave_reason::LeaveReason;
pub use load::Load;
pub use moment::Moment;
pub use observations::{Outcome, Recovery, SentWrite, TurnSummary};
pub use observer::Observer;
