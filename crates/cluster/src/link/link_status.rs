use crate::transport::PeerNode;
use std::time::Duration;

/// How the link to a peer is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStatus {
    /// The peer.
    pub peer: PeerNode,
    /// For how long messages can be sent; `None` while they cannot.
    pub connected_for: Option<Duration>,
    /// How long ago something of the peer has arrived; `None` while there is no connection.
    pub heard_ago: Option<Duration>,
    /// How much is queued and on its way to it, in bytes, with 64 bytes for each message.
    pub buffered_bytes: usize,
    /// How many batches are on their way to it, and how many may be.
    pub batches_on_their_way: usize,
    /// See [`batches_on_their_way`](Self::batches_on_their_way).
    pub batches_on_their_way_max: usize,
    /// How much of long messages has arrived that are not complete, in bytes.
    pub partial_bytes: usize,
    /// How long a round trip takes: the shortest of the last 16 heartbeats; `None` before the first.
    pub round_trip: Option<Duration>,
    /// What was sent and received since the link is known, and how often a connection has ended.
    pub counts: LinkCounts,
}

/// What a link has done since it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkCounts {
    /// Messages that were sent whole.
    pub messages_sent: u64,
    /// Batches that were sent.
    pub batches_sent: u64,
    /// Frames that were sent, heartbeats with them.
    pub frames_sent: u64,
    /// Bytes of frames that were sent.
    pub bytes_sent: u64,
    /// Messages that have arrived.
    pub messages_received: u64,
    /// Batches that have arrived.
    pub batches_received: u64,
    /// Bytes of frames that have arrived.
    pub bytes_received: u64,
    /// Messages that were refused because too much was waiting.
    pub refused: u64,
    /// Connections that have ended.
    pub connections_ended: u64,
}
