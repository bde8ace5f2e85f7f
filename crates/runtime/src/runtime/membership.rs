use super::{RunningEngine, Runtime, StartError};
use crate::{
    journal_check::JournalCheck,
    supervisor::{Close, SupervisorMessage},
};
use actum_host::Failure;
use actum_persistence::store::{Incarnation, StoreError, Stores};
use std::{fmt, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

/// What a node of a cluster lets its engine know of its membership: until when it lasts, that it has ended, and that the node
/// has joined again. For the crate of the cluster.
///
/// An engine that is started with a [`Join`] neither claims the writer slot nor renews a lease: it writes as the incarnation
/// that joined, and serves as long as the node says that the membership lasts. Where the journal refuses to write it is
/// [fenced](Self::fenced), waits for the membership to [end](Self::end), and may [begin](Self::begin) another one.
#[derive(Clone)]
pub struct Membership {
    inner: Arc<RunningEngine>,
}

/// A membership that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BegunMembership {
    /// Which life of the node it is.
    pub incarnation: Incarnation,
    /// Until when it lasts unless prolonged, by this process's clock.
    pub valid_until: Instant,
}

/// Joins a cluster, when the settings of the engine have been found right; its stores are open.
pub type Join = Box<
    dyn FnOnce(Stores) -> Pin<Box<dyn Future<Output = Result<BegunMembership, StartError>> + Send>>
        + Send,
>;

/// How often it is checked whether what was written as a former incarnation is settled.
pub(super) const SETTLE_INTERVAL: Duration = Duration::from_millis(5);

const ENDED: &str = "this node is no member of the cluster any more, and joins again";
const CLOSED: &str = "the membership of this node has ended before the command was answered";

impl Membership {
    pub(super) fn of(runtime: &Runtime) -> Self {
        Self { inner: Arc::clone(&runtime.inner) }
    }

    /// Which life of the node the engine writes as.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.inner.parts.incarnation.get()
    }

    /// The membership lasts until this instant, as far as is known now. Does nothing for one that has ended.
    pub fn prolong(&self, until: Instant) {
        let parts = &self.inner.parts;
        if parts.gate.is_fenced() {
            return;
        }
        parts.term.set_end(until);
        parts.gate.reopen();
        if parts.gate.is_fenced() {
            // that was found meanwhile
            parts.term.set_end(Instant::now());
            parts.gate.suspend(&Failure::unavailable(ENDED));
        }
    }

    /// Whether the membership has ended: the journal refuses its writes, or it was [ended](Self::end).
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.inner.parts.gate.is_fenced()
    }

    /// Whether the engine has failed, and serves nothing any more.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.inner.parts.gate.failed().is_some()
    }

    /// The membership has lapsed: no command is taken until it is [prolonged](Self::prolong).
    pub fn suspend(&self) {
        self.inner.parts.gate.suspend(&crate::term::lapsed());
    }

    /// Waits until the journal has refused a write, since the incarnation was revoked; as a rule for ever.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fenced(&self) {
        self.inner.parts.gate.fenced().await;
    }

    /// Checks whether the journal has lost what this engine has committed, and has entities recover if so: before commands are
    /// taken again after the database was away.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn check_journal(&self) -> Result<(), StoreError> {
        let RunningEngine { parts, commits, .. } = &*self.inner;
        JournalCheck::new(&parts.stores, commits.clone(), Arc::clone(&parts.gate)).check().await
    }

    /// Ends the membership: takes no commands, closes all partitions at once, which fails those they have taken, and waits until
    /// everything that was sent to the store is settled.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing. It can be called again.
    pub async fn end(&self) {
        let parts = &self.inner.parts;
        parts.gate.end_membership(&Failure::unavailable(ENDED));
        parts.term.set_end(Instant::now());
        let close = Close { deadline: Instant::now(), reason: CLOSED };
        let closing = parts.partitions.iter().map(|handle| {
            let (closed, answer) = oneshot::channel();
            let message = SupervisorMessage::Close { partition: handle.partition, close, closed };
            let _ = self.inner.supervisor.cast(message); // without a supervisor there is no partition either
            answer
        });
        let closing: Vec<_> = closing.collect();
        for closed in closing {
            let _ = closed.await;
        }
        parts.streams.appends.all_settled().await;
        while parts.partitions.iter().any(|handle| handle.has_unsettled()) {
            sleep(SETTLE_INTERVAL).await;
        }
    }

    /// Begins another membership behind one that has [ended](Self::end): the engine writes as this incarnation, and takes
    /// commands for the partitions that are opened. Does nothing when the engine is shut down.
    pub fn begin(&self, joined: BegunMembership) {
        let parts = &self.inner.parts;
        parts.incarnation.set(joined.incarnation);
        parts.gate.begin_membership();
        parts.term.set_end(joined.valid_until);
        parts.gate.reopen();
    }

    /// The engine serves nothing any more, and does not join again: another process runs under the name of this node.
    pub fn replaced(&self) {
        self.inner.parts.gate.replaced();
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("incarnation", &self.incarnation())
            .finish_non_exhaustive()
    }
}
