use crate::link::LinkRefusal;
use actum_persistence::store::Incarnation;
use bytes::Bytes;

/// What the router knows of the links to other nodes.
pub(crate) trait Peers: Send + Sync + 'static {
    /// Sends a message; returns at once. Where it surely never left this node, that is reported later by its ticket.
    fn send(&self, to: Incarnation, ticket: u64, message: Bytes) -> Result<(), LinkRefusal>;
}
