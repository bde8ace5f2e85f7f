//! What publishers ship to.

mod memory_broker;

pub use memory_broker::MemoryBroker;
