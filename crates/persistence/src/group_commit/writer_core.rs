use super::{
    CommitError, CommitSink, CommittedBatch, GroupCommit, GroupCommitSettings, GroupWrite,
    LaneQueue, Settled, Step, Undrained, WriterScope,
    batch_store::{BatchStore, Resolved, Resolving, Writing, Written},
    commit_sink::{notify, notify_end},
    group_commit::WaitingWrite,
    lane_queue::WriteInPlace,
};
use crate::{
    Weight,
    panics::{guard, log_safely},
    store::{Resolution, StoreError},
};
use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::Instant;
use tracing::Instrument;

/// What a writer holds, between two awaits: its task steps it, or a submitter that finds the writer idle does, see
/// [`write_in_place`](WriteInPlace::write_in_place).
pub(super) struct WriterCore<W: GroupWrite, T, S: BatchStore<W>> {
    machine: GroupCommit<W, T>,
    gathered: Vec<WaitingWrite<W, T>>,
    store: Arc<S>,
    scope: WriterScope,
    sink: Arc<dyn CommitSink<T>>,
    commits: Arc<W::Commits>,
    /// A batch that a submitter has begun to write: the task finishes it.
    begun: Option<Writing<W, S::Batch>>,
    /// When the batch under way was handed to the store, where that is observed.
    begun_at: Option<Instant>,
    /// Why no write will succeed any more, as far as the sink knows.
    over: Option<StoreError>,
}

/// What the task of a writer is to await.
pub(super) enum Awaited<W: GroupWrite, S: BatchStore<W>> {
    Writing(Writing<W, S::Batch>),
    Resolving(Resolving<W, S::Batch>, u32),
}

impl<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> WriterCore<W, T, S> {
    pub(super) fn new(
        store: S,
        scope: WriterScope,
        settings: &GroupCommitSettings,
        sink: Arc<dyn CommitSink<T>>,
        commits: Arc<W::Commits>,
    ) -> Self {
        Self {
            machine: GroupCommit::new(scope, settings),
            gathered: Vec::new(),
            store: Arc::new(store),
            scope,
            sink,
            commits,
            begun: None,
            begun_at: None,
            over: None,
        }
    }

    /// What is to be awaited next; `None` when nothing waits.
    pub(super) fn next(&mut self, queue: &LaneQueue<W, T>) -> Option<Awaited<W, S>> {
        if let Some(begun) = self.begun.take() {
            return Some(Awaited::Writing(begun));
        }
        self.gather(queue);
        Some(match self.machine.next_step()? {
            Step::Write(writes) => Awaited::Writing(self.write(writes)),
            Step::Resolve { writes, attempt } => {
                self.refuse_waiting(queue); // what came while this step was decided
                let store = Arc::clone(&self.store);
                let batch = store.batch_of(writes);
                let span = tracing::trace_span!("resolve", writer = %self.scope, attempt);
                Awaited::Resolving(Box::pin(store.resolve(batch).instrument(span)), attempt)
            }
        })
    }

    fn write(&mut self, writes: Vec<W>) -> Writing<W, S::Batch> {
        let store = Arc::clone(&self.store);
        let batch = store.batch_of(writes);
        self.begun_at = self.sink.observes().then(Instant::now);
        let writing = store.write(batch);
        let Weight { events, bytes } = self.machine.pending() - self.machine.waiting();
        let span = tracing::trace_span!("commit", writer = %self.scope, events, bytes);
        if span.is_disabled() { writing } else { Box::pin(writing.instrument(span)) }
    }

    /// Takes the outcome of a batch.
    pub(super) fn written(
        &mut self,
        queue: &LaneQueue<W, T>,
        (batch, answer): Written<W, S::Batch>,
    ) {
        let result = answer.unwrap_or_else(|panic| Err(self.panicked(&panic)));
        let (writes, pending, end) = (S::writes_of(batch), self.machine.pending(), end(&result));
        if let Ok(outcomes) = &result {
            self.announce(&writes, outcomes, Some);
        }
        if let Some(begun_at) = self.begun_at.take() {
            self.observe_written(&writes, &result, begun_at.elapsed());
        }
        let settled = self.machine.finished(writes, result);
        self.settle(queue, pending, settled);
        self.notify_end(end);
    }

    /// Takes what was found out about a batch.
    pub(super) fn resolved(
        &mut self,
        queue: &LaneQueue<W, T>,
        (batch, answer): Resolved<W, S::Batch>,
        attempt: u32,
    ) {
        let result = answer.unwrap_or_else(|panic| Err(self.panicked(&panic)));
        if let Err(error) = &result {
            let (writer, error) = (self.scope, format!("{error:#}"));
            log_safely(|| {
                tracing::warn!(%writer, attempt, error, "outcome of a batch cannot be found out");
            });
        }
        let (writes, pending, end) = (S::writes_of(batch), self.machine.pending(), end(&result));
        if let Ok(found) = &result {
            self.announce(&writes, found, Resolution::stored);
            if self.sink.observes() {
                self.observe_resolved(&writes, found);
            }
        }
        let settled = self.machine.resolved(writes, result);
        self.settle(queue, pending, settled);
        self.notify_end(end);
    }

    /// Lets the machine refuse what has come while a batch is being resolved.
    pub(super) fn refuse_waiting(&mut self, queue: &LaneQueue<W, T>) {
        self.gather(queue);
        let pending = self.machine.pending();
        let settled = self.machine.refuse_waiting();
        self.settle(queue, pending, settled);
    }

    /// Settles everything that is left, for good.
    pub(super) fn give_up(&mut self, queue: &LaneQueue<W, T>) -> Undrained {
        queue.close();
        self.begun = None;
        self.gather(queue);
        let settled = self.abandon(queue);
        let left = settled.len();
        let unknown = settled.iter().filter(|settled| is_unknown(settled)).count();
        notify(&*self.sink, settled);
        Undrained { unsent: left - unknown, unknown }
    }

    fn abandon(&mut self, queue: &LaneQueue<W, T>) -> Vec<Settled<T>> {
        let pending = self.machine.pending();
        let settled = self.machine.abandon();
        queue.release(pending - self.machine.pending());
        settled
    }

    fn gather(&mut self, queue: &LaneQueue<W, T>) {
        queue.take(&mut self.gathered);
        self.gathered.drain(..).for_each(|waiting| self.machine.submit_weighed(waiting));
    }

    /// Announces what the store has said that it committed, before the sink hears of it. What it says of another number
    /// of writes is no answer.
    fn announce<'a, O>(
        &self,
        writes: &[W],
        outcomes: &'a [O],
        stored: impl Fn(&'a O) -> Option<&'a W::Outcome> + Clone,
    ) {
        if outcomes.len() == writes.len()
            && let Some(regress) = W::announce(&self.commits, writes, outcomes.iter().map(stored))
        {
            self.show(|sink| sink.regressed(regress));
        }
    }

    /// Shows the sink what the store has said to a batch.
    fn observe_written(
        &self,
        writes: &[W],
        result: &Result<Vec<W::Outcome>, StoreError>,
        took: Duration,
    ) {
        match result {
            Ok(outcomes) if outcomes.len() == writes.len() => {
                let mut batch = CommittedBatch { writes: 0, events: 0, bytes: 0, took };
                for (write, _) in writes.iter().zip(outcomes).filter(|(_, one)| W::is_stored(one)) {
                    batch.writes += 1;
                    batch.events += write.changes();
                    batch.bytes += write.weight().bytes;
                }
                self.show(|sink| sink.batch_committed(self.scope, batch));
            }
            Err(error) if error.maybe_written() => {
                self.show(|sink| sink.outcome_unknown(self.scope, writes.len()));
            }
            _ => {}
        }
    }

    /// Shows the sink what was found out about a batch.
    fn observe_resolved(&self, writes: &[W], found: &[Resolution<W::Outcome>]) {
        if found.len() == writes.len() {
            let stored =
                found.iter().filter_map(Resolution::stored).filter(|one| W::is_stored(one));
            let stored = stored.count();
            self.show(|sink| sink.outcome_resolved(self.scope, writes.len(), stored));
        }
    }

    fn show(&self, show: impl FnOnce(&dyn CommitSink<T>)) {
        if let Err(message) = guard(|| show(&*self.sink)) {
            let writer = self.scope;
            log_safely(|| tracing::error!(%writer, message, "the receiver of commits panicked"));
        }
    }

    /// Makes room for what was settled since `pending`, then notifies the sink.
    fn settle(&mut self, queue: &LaneQueue<W, T>, pending: Weight, settled: Vec<Settled<T>>) {
        queue.release(pending - self.machine.pending());
        notify(&*self.sink, settled);
    }

    fn notify_end(&mut self, end: Option<StoreError>) {
        let Some(error) = end else { return };
        if !self.over.as_ref().is_some_and(|known| is_same_end(known, &error)) {
            notify_end(&*self.sink, &error);
            self.over = Some(error);
        }
    }

    fn panicked(&self, message: &str) -> StoreError {
        let writer = self.scope;
        log_safely(|| tracing::error!(%writer, message, "the store panicked"));
        StoreError::outcome_unknown("committing a batch", format!("the store panicked: {message}"))
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> WriteInPlace<W, T>
    for WriterCore<W, T, S>
{
    fn write_in_place(&mut self, queue: &LaneQueue<W, T>) -> bool {
        if self.machine.pending() != Weight::ZERO {
            return false;
        }
        self.gather(queue);
        let Some(Step::Write(writes)) = self.machine.next_step() else { return false };
        let mut writing = self.write(writes);
        match writing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(written) => {
                self.written(queue, written);
                self.machine.pending() == Weight::ZERO
            }
            Poll::Pending => {
                self.begun = Some(writing);
                false
            }
        }
    }

    fn start_over(&mut self, queue: &LaneQueue<W, T>, panic: &str) {
        let writer = self.scope;
        log_safely(|| tracing::error!(%writer, panic, "writer panicked, it starts again"));
        self.begun = None;
        let settled = self.abandon(queue);
        notify(&*self.sink, settled);
    }
}

/// Why no write will succeed any more, if that is so.
fn end<R>(result: &Result<R, StoreError>) -> Option<StoreError> {
    result.as_ref().err().filter(|error| error.is_final()).cloned()
}

/// Whether the sink knows of `error` that knows of `known`: an incarnation that is fenced is followed by another one where
/// a member of a cluster joins again.
fn is_same_end(known: &StoreError, error: &StoreError) -> bool {
    match (known, error) {
        (StoreError::Fenced { incarnation: known }, StoreError::Fenced { incarnation }) => {
            known == incarnation
        }
        (StoreError::Fenced { .. }, _) => false,
        _ => true,
    }
}

fn is_unknown<T>(settled: &Settled<T>) -> bool {
    matches!(&settled.result, Err(CommitError::Store(error)) if error.maybe_written())
}
