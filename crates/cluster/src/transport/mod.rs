//! Carries frames of bytes between nodes.
//!
//! * [`PeerTransport`] is the contract.
//! * [`RactorTransport`] connects processes: TCP, protected as [`LinkSecurity`] says (`security/`), both sides introduced
//!   (`handshake/`), then a session of ractor_cluster (`sessions/`).
//! * [`MemoryNetwork`] connects nodes of one process, for tests and for the simulation.

mod handshake;
mod memory;
mod peer_node;
mod peer_transport;
mod security;
mod sessions;
mod tcp;

pub use memory::{MemoryNetwork, MemoryTransport};
pub use peer_node::PeerNode;
pub use peer_transport::{FRAME_BYTES_MAX, PeerConnection, PeerTransport, TransportEvents};
pub use security::{ClusterSecret, LinkSecurity, TlsError, TlsFiles};
pub use tcp::{RactorTransport, TransportListener, TransportSettings};
