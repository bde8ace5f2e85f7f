use super::{
    CommitError, CommitSink, CommittedBatch, GroupCommit, GroupCommitSettings, GroupWrite,
    LaneQueue, Settled, Step, Undrained, Weight, WriterScope,
    batch_store::BatchStore,
    commit_sink::{tell, tell_end},
    group_commit::Waiting,
};
use crate::{
    panics::{guard, guarded, log_safely},
    step_back,
    store::{Resolution, StoreError},
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};
use tracing::Instrument;

/// How many writes are a batch that need not wait for more: what a transaction costs by itself is little for each of them,
/// and those who come while it is under way are the next batch. Waiting for all would leave the store idle meanwhile.
const ENOUGH: usize = 64;

/// How often a writer lets others come first before it takes what was gathered.
const STEPS_BACK_MAX: usize = 8;

/// The task of a writer: carries out what its [`GroupCommit`] decides, and tells the sink.
///
/// However it ends, every write that was submitted is settled: the last of them when it is dropped.
pub(super) struct WriterTask<W: GroupWrite, T: Copy + Send + 'static, S> {
    machine: GroupCommit<W, T>,
    queue: Arc<LaneQueue<W, T>>,
    gathered: Vec<Waiting<W, T>>,
    store: Arc<S>,
    scope: WriterScope,
    settings: GroupCommitSettings,
    sink: Arc<dyn CommitSink<T>>,
    commits: Arc<W::Commits>,
    /// Whether the sink knows that no write will succeed any more.
    over: bool,
}

impl<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> WriterTask<W, T, S> {
    pub(super) fn new(
        store: S,
        scope: WriterScope,
        settings: GroupCommitSettings,
        sink: Arc<dyn CommitSink<T>>,
        commits: W::Commits,
    ) -> Self {
        Self {
            machine: GroupCommit::new(scope, &settings),
            queue: Arc::new(LaneQueue::new(Arc::clone(&sink))),
            gathered: Vec::new(),
            store: Arc::new(store),
            scope,
            settings,
            sink,
            commits: Arc::new(commits),
            over: false,
        }
    }

    pub(super) fn queue(&self) -> &Arc<LaneQueue<W, T>> {
        &self.queue
    }

    pub(super) fn commits(&self) -> &Arc<W::Commits> {
        &self.commits
    }

    /// Runs until the queue is closed and everything is settled, or until it is told to stop; says what is left.
    pub(super) async fn run(mut self, stop: Arc<Notify>) -> Undrained {
        loop {
            // in this order: a commit that is already there counts, also when it is time to stop
            let written = tokio::select! {
                biased;
                written = guarded(self.write_all()) => written,
                () = stop.notified() => Ok(()),
            };
            match written {
                Ok(()) => return self.give_up(),
                Err(panic) => self.start_over(&panic),
            }
        }
    }

    /// Settles everything after a panic that was not the store's, and goes on: of what was under way nobody knows.
    fn start_over(&mut self, panic: &str) {
        let writer = self.scope;
        log_safely(|| tracing::error!(%writer, panic, "writer panicked, it starts again"));
        let pending = self.machine.pending();
        let settled = self.machine.abandon();
        self.settle(pending, settled);
    }

    async fn write_all(&mut self) {
        loop {
            self.linger().await;
            self.gather();
            match self.machine.next_step() {
                Some(Step::Write(writes)) => self.write(writes).await,
                Some(Step::Resolve { writes, attempt }) => self.resolve(writes, attempt).await,
                None if self.queue.wait().await => {}
                None => return,
            }
        }
    }

    /// Lets those who can run now come first, for as long as they have something to write and there is not enough: a batch
    /// that leaves at once is a small one.
    async fn linger(&mut self) {
        let mut gathered = None;
        for _ in 0..STEPS_BACK_MAX {
            let now = self.queue.len();
            if now >= ENOUGH || gathered.replace(now) == Some(now) {
                return;
            }
            step_back().await;
        }
    }

    async fn write(&mut self, writes: Vec<W>) {
        let batch = self.store.batch_of(writes);
        let Weight { events, bytes } = self.machine.pending() - self.machine.waiting();
        let span = tracing::trace_span!("commit", writer = %self.scope, events, bytes);
        let begun = self.sink.observes().then(Instant::now);
        let written = guarded(async { self.store.write(&batch).await }).instrument(span).await;
        let result = written.unwrap_or_else(|panic| Err(self.panicked(&panic)));
        let end = end(&result);
        let (writes, pending) = (S::writes_of(batch), self.machine.pending());
        if let Ok(outcomes) = &result {
            self.announce(&writes, outcomes, Some);
        }
        if let Some(begun) = begun {
            self.observe_written(&writes, &result, begun.elapsed());
        }
        let settled = self.machine.finished(writes, result);
        self.settle(pending, settled);
        self.tell_end(end);
    }

    async fn resolve(&mut self, writes: Vec<W>, attempt: u32) {
        self.refuse_gathered(); // what came while this step was decided
        let batch = self.store.batch_of(writes);
        let (store, backoff) = (Arc::clone(&self.store), self.settings.resolve_backoff(attempt));
        let span = tracing::trace_span!("resolve", writer = %self.scope, attempt);
        let asking = async {
            if !backoff.is_zero() {
                sleep(backoff).await;
            }
            guarded(async { store.resolve(&batch).await }).instrument(span).await
        };
        let found = self.refuse_until(asking).await;
        let result = found.unwrap_or_else(|panic| Err(self.panicked(&panic)));
        if let Err(error) = &result {
            let writer = self.scope;
            log_safely(|| {
                tracing::warn!(
                    %writer,
                    attempt,
                    error = format!("{error:#}"),
                    "outcome of a batch cannot be found out"
                );
            });
        }
        let (writes, pending) = (S::writes_of(batch), self.machine.pending());
        if let Ok(found) = &result {
            self.announce(&writes, found, Resolution::stored);
            if self.sink.observes() {
                self.observe_resolved(&writes, found);
            }
        }
        let end = end(&result);
        let settled = self.machine.resolved(writes, result);
        self.settle(pending, settled);
        self.tell_end(end);
    }

    /// Waits for what the store says, and meanwhile lets the machine refuse what comes.
    async fn refuse_until<R>(&mut self, asking: impl Future<Output = R>) -> R {
        let mut asking = pin!(asking);
        loop {
            // in this order: an answer that is there decides what becomes of the writes that have come, too
            tokio::select! {
                biased;
                answer = &mut asking => return answer,
                true = self.queue.wait() => self.refuse_gathered(),
            }
        }
    }

    fn panicked(&self, message: &str) -> StoreError {
        let writer = self.scope;
        log_safely(|| tracing::error!(%writer, message, "the store panicked"));
        StoreError::outcome_unknown("committing a batch", format!("the store panicked: {message}"))
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static, S> WriterTask<W, T, S> {
    fn gather(&mut self) {
        self.queue.take(&mut self.gathered);
        self.gathered.drain(..).for_each(|waiting| self.machine.submit_weighed(waiting));
    }

    fn refuse_gathered(&mut self) {
        self.gather();
        let pending = self.machine.pending();
        let settled = self.machine.refuse_waiting();
        self.settle(pending, settled);
    }

    /// Announces what the store has said that it committed, before the sink hears of it. What it says of another number
    /// of writes is no answer.
    fn announce<'a, O>(
        &self,
        writes: &[W],
        outcomes: &'a [O],
        stored: impl Fn(&'a O) -> Option<&'a W::Outcome>,
    ) {
        if outcomes.len() == writes.len() {
            W::announce(&self.commits, writes, outcomes.iter().map(stored));
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
            log_safely(|| tracing::error!(%writer, message, "the observer of commits panicked"));
        }
    }

    /// Makes room for what was settled since `pending`, then tells the sink.
    fn settle(&mut self, pending: Weight, settled: Vec<Settled<T>>) {
        self.queue.release(pending - self.machine.pending());
        tell(&*self.sink, settled);
    }

    fn tell_end(&mut self, end: Option<StoreError>) {
        if let Some(error) = end
            && !std::mem::replace(&mut self.over, true)
        {
            tell_end(&*self.sink, &error);
        }
    }

    /// Settles everything that is left.
    fn give_up(&mut self) -> Undrained {
        self.queue.close();
        self.gather();
        let pending = self.machine.pending();
        let settled = self.machine.abandon();
        let left = settled.len();
        let unknown = settled.iter().filter(|settled| is_unknown(settled)).count();
        self.settle(pending, settled);
        Undrained { unsent: left - unknown, unknown }
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static, S> Drop for WriterTask<W, T, S> {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Why no write will succeed any more, if that is so.
fn end<R>(result: &Result<R, StoreError>) -> Option<StoreError> {
    result.as_ref().err().filter(|error| error.is_final()).cloned()
}

fn is_unknown<T>(settled: &Settled<T>) -> bool {
    matches!(&settled.result, Err(CommitError::Store(error)) if error.maybe_written())
}
