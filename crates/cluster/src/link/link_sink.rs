use super::LinkReport;
use actum_persistence::store::Incarnation;
use bytes::Bytes;

/// What links report to their node.
///
/// Calls about one peer are made one after another, on the tasks of the transport: they must return soon. They may send.
pub trait LinkSink: Send + Sync + 'static {
    /// A message of this peer, at most once. Messages of up to 64 KiB arrive in the order in which they were sent, and so do
    /// longer ones; a longer one arrives when its last piece does, and is overtaken by smaller ones until then.
    ///
    /// It shares its memory with others of its batch: who holds it for long holds up to 256 KiB, unless it is copied.
    fn received(&self, from: Incarnation, message: Bytes);

    /// The link has ended and these have surely not arrived: their tickets.
    fn not_sent(&self, to: Incarnation, tickets: Vec<u64>);

    /// The link has ended: of what was sent on it, and is not reported as not sent, some may have arrived and some not.
    fn lost(&self, to: Incarnation);

    /// What the link has shown of a peer.
    fn reported(&self, peer: Incarnation, report: LinkReport);
}
