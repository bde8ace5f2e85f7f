//! A store that fails as a test asks it to, and so what keeps the progress of projections, and rows with it.
//!
//! ```text
//! Faults ── script: next, always, chance ──► Call: what happens in this one ──► the stores below
//!    ▲                                          │ held by a Gate, before and after
//!    └────────────── Counts ────────────────────┘
//! ```

mod call;
mod counts;
mod damage;
mod event_store;
mod fault;
mod fault_members;
mod fault_progress;
mod fault_store;
mod fault_target;
mod faults;
mod foreign_writer;
mod gate;
mod operation;
mod rates;
mod recovery_store;
mod script;
mod snapshot_store;
mod state_store;
mod writer_store;

pub use counts::Counts;
pub use damage::Damage;
pub use fault::Fault;
pub use fault_progress::FaultProgress;
pub use fault_store::FaultStore;
pub use fault_target::FaultTarget;
pub use faults::Faults;
pub use gate::Gate;
pub use operation::Operation;
pub use rates::Rates;
