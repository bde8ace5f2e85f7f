//! Nodes of one process, for tests and for the simulation.

mod memory_connection;
mod memory_network;
mod memory_transport;
mod network_nodes;
mod network_ways;

pub use memory_network::MemoryNetwork;
pub use memory_transport::MemoryTransport;
