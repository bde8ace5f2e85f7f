use super::{
    CommitSink, GroupCommitSettings, GroupWrite, LaneQueue, Undrained, WriterScope,
    batch_store::BatchStore,
    lane_queue::WriteInPlace,
    writer_core::{Awaited, WriterCore},
};
use crate::{panics::guarded, step_back};
use parking_lot::Mutex;
use std::{
    pin::pin,
    sync::{Arc, Weak},
};
use tokio::{sync::Notify, time::sleep};

/// From how many writes on a batch does not wait for more: what a transaction costs by itself is little for each of them,
/// and those that come while it is under way are the next batch. Waiting for all would leave the store idle meanwhile.
const LINGER_WRITES_MAX: usize = 64;

/// How often a writer lets others come first before it takes what was gathered.
const STEPS_BACK_MAX: usize = 8;

/// The task of a writer: carries out what its [`WriterCore`] decides.
///
/// However it ends, every write that was submitted is settled: the last of them when it is dropped.
pub(super) struct WriterTask<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> {
    core: Arc<Mutex<WriterCore<W, T, S>>>,
    queue: Arc<LaneQueue<W, T>>,
    commits: Arc<W::Commits>,
    settings: GroupCommitSettings,
}

impl<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> WriterTask<W, T, S> {
    pub(super) fn new(
        store: S,
        scope: WriterScope,
        settings: GroupCommitSettings,
        sink: Arc<dyn CommitSink<T>>,
        commits: W::Commits,
    ) -> Self {
        let (commits, to_sink) = (Arc::new(commits), Arc::clone(&sink));
        let core = WriterCore::new(store, scope, &settings, to_sink, Arc::clone(&commits));
        let core = Arc::new(Mutex::new(core));
        let in_place: Weak<Mutex<WriterCore<W, T, S>>> = Arc::downgrade(&core);
        Self { core, queue: Arc::new(LaneQueue::new(sink, in_place)), commits, settings }
    }

    pub(super) fn queue(&self) -> &Arc<LaneQueue<W, T>> {
        &self.queue
    }

    pub(super) fn commits(&self) -> &Arc<W::Commits> {
        &self.commits
    }

    /// Runs until the queue is closed and everything is settled, or until it is asked to stop; says what is left.
    pub(super) async fn run(self, stop: Arc<Notify>) -> Undrained {
        loop {
            // in this order: a commit that is already there counts, also when it is time to stop
            let written = tokio::select! {
                biased;
                written = guarded(self.write_all()) => written,
                () = stop.notified() => Ok(()),
            };
            match written {
                Ok(()) => return self.core.lock().give_up(&self.queue),
                Err(panic) => self.core.lock().start_over(&self.queue, &panic),
            }
        }
    }

    async fn write_all(&self) {
        loop {
            self.linger().await;
            let next = self.core.lock().next(&self.queue);
            match next {
                Some(Awaited::Writing(writing)) => {
                    let written = writing.await;
                    self.core.lock().written(&self.queue, written);
                }
                Some(Awaited::Resolving(resolving, attempt)) => {
                    let backoff = self.settings.resolve_backoff(attempt);
                    let asking = async {
                        if !backoff.is_zero() {
                            sleep(backoff).await;
                        }
                        resolving.await
                    };
                    let found = self.refuse_until(asking).await;
                    self.core.lock().resolved(&self.queue, found, attempt);
                }
                None if self.queue.wait().await => {}
                None => return,
            }
        }
    }

    /// Lets those who can run now come first, for as long as they have something to write and there is not enough: a batch
    /// that leaves at once is a small one.
    async fn linger(&self) {
        let mut gathered = 0;
        for _ in 0..STEPS_BACK_MAX {
            let now = self.queue.len();
            if now >= LINGER_WRITES_MAX || now == gathered {
                return;
            }
            gathered = now;
            step_back().await;
        }
    }

    /// Waits for what the store says, and meanwhile lets the machine refuse what comes.
    async fn refuse_until<R>(&self, asking: impl Future<Output = R>) -> R {
        let mut asking = pin!(asking);
        loop {
            // in this order: an answer that is there decides the outcome of the writes that have come, too
            tokio::select! {
                biased;
                answer = &mut asking => return answer,
                true = self.queue.wait() => self.core.lock().refuse_waiting(&self.queue),
            }
        }
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static, S: BatchStore<W>> Drop for WriterTask<W, T, S> {
    fn drop(&mut self) {
        let _ = self.core.lock().give_up(&self.queue);
    }
}
