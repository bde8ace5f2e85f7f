use super::{CommitError, Committed, CommittedBatch, Settled, WriterScope};
use crate::{
    commits::JournalRegress,
    panics::{guard, log_safely},
    store::{Incarnation, StoreError},
};
use actum_model::Partition;

/// Where the results of writes go.
///
/// Its methods only pass on what they get: they run on the writer's task, and never block. Every submitted write comes
/// back in exactly one call of [`committed`](Self::committed).
pub trait CommitSink<T>: Send + Sync + 'static {
    /// Some writes of one partition are settled, in the order of their submission.
    fn committed(&self, partition: Partition, results: Vec<(T, Result<Committed, CommitError>)>);

    /// The writer's incarnation was revoked, so no write of it will succeed any more. Called once for an incarnation, after
    /// the first results that showed it.
    fn fenced(&self, incarnation: Incarnation);

    /// The store is [lost](StoreError::Lost), so no write will succeed any more. Called once, as [`fenced`](Self::fenced).
    fn lost(&self, error: &StoreError);

    /// A commit got positions that had been given out before, so the journal has lost events. Called before the results of
    /// that commit. Does nothing unless it is implemented.
    fn regressed(&self, _regress: JournalRegress) {}

    /// Whether it wants to see batches, by the methods below. For one that does not, the default, nothing is counted and no
    /// clock is read.
    fn observes(&self) -> bool {
        false
    }

    /// A batch was committed; its results come afterwards.
    fn batch_committed(&self, _writer: WriterScope, _batch: CommittedBatch) {}

    /// The store did not say whether a batch of this many writes was committed.
    fn outcome_unknown(&self, _writer: WriterScope, _writes: usize) {}

    /// The outcome of such a batch was found out: this many of its writes are stored.
    fn outcome_resolved(&self, _writer: WriterScope, _writes: usize, _stored: usize) {}
}

/// Notifies the sink, in runs of the same partition. Panics of the sink stop neither the writer nor the other runs.
pub(super) fn notify<T: 'static>(sink: &dyn CommitSink<T>, settled: Vec<Settled<T>>) {
    let pass = |partition, run| {
        if let Err(message) = guard(|| sink.committed(partition, run)) {
            log_safely(|| tracing::error!(%partition, message, "the receiver of commits panicked"));
        }
    };
    let result = |settled: Settled<T>| (settled.ticket, settled.result);
    if let [first, rest @ ..] = settled.as_slice()
        && rest.iter().all(|next| next.partition == first.partition)
    {
        // mostly so while few commands come; the vector is used again
        return pass(first.partition, settled.into_iter().map(result).collect());
    }
    let mut settled = settled.into_iter();
    while let Some(partition) = settled.as_slice().first().map(|first| first.partition) {
        let rest = settled.as_slice().iter();
        let length = rest.take_while(|next| next.partition == partition).count();
        pass(partition, settled.by_ref().take(length).map(result).collect());
    }
}

/// Notifies the sink why no write will succeed any more, if `error` says so.
pub(super) fn notify_end<T: 'static>(sink: &dyn CommitSink<T>, error: &StoreError) {
    let notified = guard(|| match error {
        StoreError::Fenced { incarnation } => sink.fenced(*incarnation),
        error => sink.lost(error),
    });
    if let Err(message) = notified {
        log_safely(|| tracing::error!(message, "the receiver of commits panicked"));
    }
}
