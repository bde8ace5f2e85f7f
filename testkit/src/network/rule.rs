use std::sync::Arc;

use tokio::sync::watch;

/// What happens to a connection whose client sends the bytes a rule waits for.
///
/// A chunk is what the client's system hands over at once: usually all that the client wrote together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// Nothing of the chunk that completes the pattern reaches the server; both sides are cut.
    CutBefore,
    /// The client is cut at once. The server still gets the chunk, then the end of the stream, and may write what it
    /// likes until it closes: it does what it was asked to, as for a client that died.
    CutAfterSending,
    /// The server gets the chunk; at the first byte it answers the client is cut, and the answer is lost. The server's
    /// side goes on as for [`CutAfterSending`](Self::CutAfterSending).
    CutAfterAnswer,
    /// The chunk and what follows it are kept back until [`Rule::release`]. The client may leave meanwhile, or be cut:
    /// the connection to the server stays, and what was kept back arrives late.
    Hold,
}

/// One rule of a [`TcpProxy`](super::TcpProxy), to see its outcome. It fires once, on one connection.
#[derive(Clone, Debug)]
pub struct Rule(Arc<watch::Sender<Progress>>);

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    fired: bool,
    released: bool,
    settled: bool,
}

impl Rule {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Progress::default())))
    }

    /// Waits until the rule has done its deed: the bytes are held, or the client is being cut.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fired(&self) {
        self.wait_for(|progress| progress.fired).await;
    }

    /// Whether the rule has done its deed.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        self.0.borrow().fired
    }

    /// Waits until the server, too, has closed the connection the rule fired on: whatever it was asked to do there, it
    /// does no more.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn settled(&self) {
        self.wait_for(|progress| progress.settled).await;
    }

    /// Sends on what [`Then::Hold`] keeps back. Called before the rule fires, it makes it keep nothing back.
    pub fn release(&self) {
        self.0.send_modify(|progress| progress.released = true);
    }

    pub(super) async fn released(&self) {
        self.wait_for(|progress| progress.released).await;
    }

    pub(super) fn fire(&self) {
        self.0.send_modify(|progress| progress.fired = true);
    }

    pub(super) fn settle(&self) {
        self.0.send_modify(|progress| progress.settled = true);
    }

    async fn wait_for(&self, reached: impl Fn(&Progress) -> bool) {
        // it cannot end before: this very handle holds the sender
        let _ = self.0.subscribe().wait_for(|progress| reached(progress)).await;
    }
}
