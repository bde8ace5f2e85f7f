use super::{
    CommitSink, GroupCommitSettings, GroupWrite, LaneQueue, Undrained, WriterScope,
    batch_store::{BatchStore, LaneJournal, States},
    writer_task::WriterTask,
};
use crate::{
    commits::{LaneCommits, StateCommits},
    store::{CurrentIncarnation, DurableStateStore, EntityAppend, EventStore, StateWrite},
};
use actum_model::Lane;
use std::{fmt, panic::resume_unwind, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

/// The task that commits the writes of one lane, batch after batch.
///
/// A panic of the store counts as an unknown outcome. Dropping the writer closes its queue: the task writes what was
/// submitted and ends by itself; use [`drain`](Self::drain) to wait for that.
#[must_use]
pub struct GroupWriter<W: GroupWrite, T: Copy + Send + 'static> {
    queue: Arc<LaneQueue<W, T>>,
    commits: Arc<W::Commits>,
    task: JoinHandle<Undrained>,
    stop: Arc<Notify>,
}

/// Writes the events of a lane.
pub type LaneWriter<T> = GroupWriter<EntityAppend, T>;

/// Writes durable states, those of all lanes.
pub type StateWriter<T> = GroupWriter<StateWrite, T>;

impl<T: Copy + Send + 'static> GroupWriter<EntityAppend, T> {
    /// Starts the task, on the tokio runtime of the caller. The settings were
    /// [validated](GroupCommitSettings::problems).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn(
        store: Arc<dyn EventStore>,
        lane: Lane,
        incarnation: impl Into<CurrentIncarnation>,
        settings: GroupCommitSettings,
        sink: Arc<dyn CommitSink<T>>,
    ) -> Self {
        let incarnation = incarnation.into();
        let commits = LaneCommits::new(lane, incarnation.clone(), settings.tail_bounds());
        let store = LaneJournal { store, lane, incarnation };
        Self::start(WriterTask::new(store, WriterScope::Lane(lane), settings, sink, commits))
    }
}

impl<T: Copy + Send + 'static> GroupWriter<StateWrite, T> {
    /// Starts the task, on the tokio runtime of the caller. The settings were
    /// [validated](GroupCommitSettings::problems).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn(
        store: Arc<dyn DurableStateStore>,
        incarnation: impl Into<CurrentIncarnation>,
        settings: GroupCommitSettings,
        sink: Arc<dyn CommitSink<T>>,
    ) -> Self {
        let store = States { store, incarnation: incarnation.into() };
        let commits = StateCommits::new();
        Self::start(WriterTask::new(store, WriterScope::States, settings, sink, commits))
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static> GroupWriter<W, T> {
    fn start(task: WriterTask<W, T, impl BatchStore<W>>) -> Self {
        let (queue, commits) = (Arc::clone(task.queue()), Arc::clone(task.commits()));
        let stop = Arc::new(Notify::new());
        let task = tokio::spawn(task.run(Arc::clone(&stop)));
        Self { queue, commits, task, stop }
    }

    /// Where writes are submitted.
    #[must_use]
    pub fn queue(&self) -> &Arc<LaneQueue<W, T>> {
        &self.queue
    }

    /// Where it announces what it has committed.
    #[must_use]
    pub fn commits(&self) -> &Arc<W::Commits> {
        &self.commits
    }

    /// Closes the queue, waits until everything in it is settled, and ends the task.
    ///
    /// What is submitted from now on is unavailable. After `within` the writer gives up: what it has not sent is then
    /// settled as unavailable, and what is in flight as of unknown outcome.
    ///
    /// # Errors
    /// [`Undrained`] when it had to give up.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the writer to finish by itself, as dropping the writer does.
    pub async fn drain(mut self, within: Duration) -> Result<(), Undrained> {
        self.queue.close();
        let ended = match timeout(within, &mut self.task).await {
            Ok(ended) => ended,
            Err(_) => {
                self.stop.notify_one();
                (&mut self.task).await
            }
        };
        match ended {
            Ok(Undrained { unsent: 0, unknown: 0 }) => Ok(()),
            Ok(left) => Err(left),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // the runtime shuts down, and has dropped the task, which has settled everything
                Err(_) => Ok(()),
            },
        }
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static> Drop for GroupWriter<W, T> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<W: GroupWrite, T: Copy + Send + 'static> fmt::Debug for GroupWriter<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupWriter").field("queue", &self.queue).finish_non_exhaustive()
    }
}
