//! Carries frames of bytes between nodes.
//!
//! * [`PeerTransport`] is the contract.
//! * [`MemoryNetwork`] connects nodes of one process, for tests and for the simulation.

mod memory;
mod peer_node;
mod peer_transport;

pub use memory::{MemoryNetwork, MemoryTransport};
pub use peer_node::PeerNode;
pub use peer_transport::{FRAME_BYTES_MAX, PeerConnection, PeerTransport, TransportEvents};
