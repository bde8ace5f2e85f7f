use super::PeerNode;
use actum_persistence::store::Incarnation;
use async_trait::async_trait;
use bytes::Bytes;
use std::{fmt, sync::Arc};

/// The longest frame that a transport carries, in bytes. A peer that sends a longer one is disconnected.
pub const FRAME_BYTES_MAX: usize = 256 << 10;

/// Carries frames of bytes between the nodes of a cluster.
///
/// # Contract
/// * Frames of one connection arrive in the order in which they were sent, each at most once, and none behind one that is
///   missing. What was under way when a connection ends may have arrived or not.
/// * There is at most one connection with a peer at a time. When one ends that shall exist, it is dialled again, with backoff
///   and jitter, until [`disconnect`](Self::disconnect). Both sides dial, so both find out that the other one refuses; of two
///   connections that cross one stays.
/// * What a peer does is bounded in the memory it costs here, and holds up no other peer.
#[async_trait]
pub trait PeerTransport: Send + Sync + 'static {
    /// Begins to take connections and to report. Called once, before everything else.
    fn start(&self, events: Arc<dyn TransportEvents>);

    /// Keeps a connection with this peer from now on. Does nothing if that is so already.
    fn connect(&self, peer: PeerNode);

    /// Ends the connection with this peer, and refuses it from now on. Its end is reported if there was one.
    fn disconnect(&self, peer: Incarnation);

    /// Ends all connections and takes no more. Their ends are reported before this returns.
    ///
    /// # Cancel safety
    /// What was begun goes on; call it again to wait for its end.
    async fn close(&self);
}

/// One connection with a peer.
pub trait PeerConnection: fmt::Debug + Send + Sync + 'static {
    /// Sends a frame of at most [`FRAME_BYTES_MAX`]; returns whether it is on its way. Does not block. Nothing here bounds
    /// how many frames are on their way: the sender does, by what the peer answers.
    fn send(&self, frame: Bytes) -> bool;

    /// Ends the connection; the transport reports that it has ended, and dials again.
    fn close(&self);
}

/// What a transport reports.
///
/// Calls about one connection are made one after another: `connected`, any number of `received` and `outdated`,
/// `disconnected`. They must return soon: what they do is done on the transport's tasks. They may call the transport and the
/// connection.
pub trait TransportEvents: Send + Sync + 'static {
    /// There is a connection with this peer now.
    fn connected(&self, peer: Incarnation, connection: Arc<dyn PeerConnection>);

    /// A frame of this peer has arrived, on the connection that was reported last.
    fn received(&self, peer: Incarnation, frame: Bytes);

    /// The connection should be closed soon, at a moment when nothing is lost with it: it relies on certificates that were
    /// replaced.
    fn outdated(&self, peer: Incarnation);

    /// The connection with this peer has ended.
    fn disconnected(&self, peer: Incarnation);

    /// The peer's host refuses connections, or another life of a node answers there: each time that is tried.
    fn refused(&self, peer: Incarnation);

    /// The peer could not be dialled otherwise: no answer in time, no route, no such host. Each time that is tried.
    fn unanswered(&self, peer: Incarnation);
}
