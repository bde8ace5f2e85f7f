//! What tests of entities, of stores and of what runs over them are made of.
//!
//! * [`Given`] states what an entity does, in the words of its domain, without a runtime: given events, when a command,
//!   then events, a reply or a rejection. On the way it checks codecs, purity and replay.
//! * [`GivenEvents`] states what a projection makes of a journal: given events, when projected, then rows.
//! * [`Given::golden`] keeps what an entity stores today in a file, so that a change of format that forgot its new
//!   schema version fails a test instead of a recovery.
//! * [`conformance`] holds a store to its contract, and what keeps the progress of projections, or rows with it, to its own.
//! * [`FaultStore`] is any store that fails as a test asks it to; [`FaultProgress`] and [`FaultTarget`] are what keeps the
//!   progress of projections, and rows with it.
//! * [`MemoryBroker`] is where a publisher ships to, and is away, slow or picky as a test asks it to.
//! * [`TcpProxy`] is a network that fails as a test asks it to.

mod behaviour;
mod broker;
pub mod conformance;
mod fault_injection;
mod network;
mod projection;

pub use behaviour::{
    ByEvents, ByState, DefaultEnv, EnvOf, Given, GivenEnv, Golden, Persisted, Step, Verdict,
};
pub use broker::MemoryBroker;
pub use fault_injection::{
    Counts, Damage, Fault, FaultProgress, FaultStore, FaultTarget, Faults, Gate, Operation, Rates,
};
pub use network::{Rule, TcpProxy, Then};
pub use projection::{GivenEvents, Projected};
