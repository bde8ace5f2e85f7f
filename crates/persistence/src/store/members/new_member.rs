use super::super::Incarnation;
use bytes::Bytes;

/// A node that joins a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// The holder of the [slot of the node](super::node_slot).
    pub incarnation: Incarnation,
    /// The name of the node, 1 to 64 bytes without NUL.
    pub name: String,
    /// What the others should know of it, at most 64 KiB.
    pub description: Bytes,
}
