//! A store that fails as a test asks it to.
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
mod fault_store;
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
pub use fault_store::FaultStore;
pub use faults::Faults;
pub use gate::Gate;
pub use operation::Operation;
pub use rates::Rates;
