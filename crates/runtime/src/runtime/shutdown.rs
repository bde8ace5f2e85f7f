use super::{RunningEngine, engine_parts::EngineParts, engine_tasks::EngineTasks};
use crate::{
    journal_readers::JournalReaders,
    partition::PartitionHandle,
    supervisor::{Close, GRACE, SupervisorMessage},
};
use actum_host::{Failure, cell::GivenUp};
use actum_persistence::{
    group_commit::Undrained,
    panics::log_safely,
    store::{Incarnation, StoreError, Stores},
};
use ractor::ActorRef;
use std::sync::Arc;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tracing::Instrument;

/// What a shutdown could not finish. All zero and true after a clean one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ShutdownReport {
    /// Commands whose callers got a failure instead of an answer at the end, commands sent by `tell` and appends to streams
    /// that waited for others included. Those of a
    /// handler that is stuck are among them: whatever it does when it returns is neither answered nor written.
    pub unanswered: usize,
    /// Writes that were not sent to the store; their callers know.
    pub unsent: usize,
    /// Writes whose outcome is unknown; their callers know.
    pub unknown: usize,
    /// Whether all snapshots that waited, or were taken on the way, were saved.
    pub snapshots_saved: bool,
    /// Whether all [readers](crate::JournalReaders) of the journal have ended.
    pub readers_ended: bool,
    /// Whether the journal was given back, so that the next engine need not wait for a lease to run out.
    pub released: bool,
    /// Whether the stores were closed.
    pub closed: bool,
}

impl ShutdownReport {
    /// Whether everything was finished.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Self { unanswered, unsent, unknown, snapshots_saved, .. } = *self;
        let ended = self.readers_ended && self.released && self.closed;
        unanswered + unsent + unknown == 0 && snapshots_saved && ended
    }
}

/// A runtime's way from work to its end.
pub(super) struct Ending {
    /// What runs, until the end begins.
    tasks: Option<EngineTasks>,
    under_way: Option<JoinHandle<ShutdownReport>>,
    /// What was finished, in the end; before that nothing is.
    report: ShutdownReport,
}

impl Ending {
    /// Not begun yet.
    pub(super) fn of(tasks: EngineTasks) -> Self {
        let report = ShutdownReport {
            unanswered: 0,
            unsent: 0,
            unknown: 0,
            snapshots_saved: false,
            readers_ended: false,
            released: false,
            closed: false,
        };
        Self { tasks: Some(tasks), under_way: None, report }
    }
}

/// Ends the runtime in a task of its own, which goes on when the caller goes away. A second caller waits for the
/// first, and gets the same report.
pub(super) async fn shutdown(inner: &Arc<RunningEngine>, deadline: Instant) -> ShutdownReport {
    let mut ending = inner.ending.lock().await;
    let Ending { tasks, under_way, report } = &mut *ending;
    if let Some(tasks) = tasks.take() {
        let gate = &inner.parts.gate;
        gate.health().shuts_down();
        gate.close(&Failure::unavailable("the engine is shutting down"));
        *under_way = Some(tokio::spawn(end(Arc::clone(inner), tasks, deadline).in_current_span()));
    }
    if let Some(task) = under_way {
        match task.await {
            Ok(ended) => *report = ended,
            Err(error) => {
                log_safely(|| tracing::error!(engine = inner.name, %error, "shutdown failed"));
                let all: Vec<_> = inner.parts.partitions.iter().collect();
                report.unanswered = give_up(&inner.parts, &all);
            }
        }
        *under_way = None;
    }
    *report
}

async fn end(
    inner: Arc<RunningEngine>,
    mut tasks: EngineTasks,
    deadline: Instant,
) -> ShutdownReport {
    let parts = &*inner.parts;
    let lost = parts.saver.lost();
    let (mut unanswered, left) = close_partitions(parts, tasks.supervisor.clone(), deadline).await;
    // what went elsewhere comes back or not, whatever is closed here
    let _ = timeout_at(deadline, parts.waits_elsewhere.all_back()).await;
    let _ = timeout_at(deadline, parts.streams.appends.all_settled()).await;
    unanswered += give_up(parts, &left);
    let Undrained { unsent, unknown } = write_rest(&mut tasks, deadline).await;
    let saved = save_rest(&mut tasks, deadline).await;
    let snapshots_saved = saved && parts.saver.lost() == lost;
    // nothing is written any more: what they have seen then is all there is
    let readers_ended = end_readers(&tasks.readers, deadline).await;
    end_watch(&mut tasks).await;
    drop(tasks);
    let released = release(&parts.stores, parts.incarnation.get(), grace_until(deadline)).await;
    let closed = close(&inner, grace_until(deadline)).await;
    let report = ShutdownReport {
        unanswered,
        unsent,
        unknown,
        snapshots_saved,
        readers_ended,
        released,
        closed,
    };
    log_safely(|| {
        if report.is_clean() {
            tracing::info!(engine = inner.name, "engine shut down");
        } else {
            tracing::warn!(engine = inner.name, ?report, "engine shut down with work unfinished");
        }
    });
    report
}

/// Snapshots to be saved, readers to end, a store to take the journal back and to close: each has as long as partitions
/// have to fail what is left, even if the time is over.
pub(super) fn grace_until(deadline: Instant) -> Instant {
    deadline.max(Instant::now() + GRACE)
}

/// Why commands fail that are not answered by then.
const UNANSWERED: &str = "the engine was shut down before the command was answered";

/// Lets all partitions finish, then fail what is left; says how many commands that were, and which partitions went with
/// their supervisor.
async fn close_partitions(
    parts: &EngineParts,
    supervisor: ActorRef<SupervisorMessage>,
    deadline: Instant,
) -> (usize, Vec<&Arc<PartitionHandle>>) {
    let close = Close { deadline, reason: UNANSWERED };
    let closing = parts.partitions.iter().map(|handle| {
        let (closed, receiver) = oneshot::channel();
        let message = SupervisorMessage::Close { partition: handle.partition, close, closed };
        let _ = supervisor.cast(message); // without a supervisor there is no partition either
        (handle, receiver)
    });
    let (mut unanswered, mut left) = (0, Vec::new());
    for (handle, closed) in closing.collect::<Vec<_>>() {
        match closed.await {
            Ok(closed) => unanswered += closed.unanswered,
            Err(_) => left.push(handle),
        }
    }
    (unanswered, left)
}

/// Answers the commands of partitions that went with their supervisor, and of those that are elsewhere; says how many that
/// were. A partition that comes back begins none of them, and its answers reach no caller.
fn give_up(parts: &EngineParts, left: &[&Arc<PartitionHandle>]) -> usize {
    let why = GivenUp::because(UNANSWERED);
    let here: usize = left.iter().map(|partition| partition.give_up(&why)).sum();
    let streams = parts.streams.appends.give_up_waiting(&why);
    parts.gate.clear() + here + streams + parts.waits_elsewhere.give_up(&why)
}

async fn end_watch(tasks: &mut EngineTasks) {
    tasks.parts.load.watchdog().end();
    if let Some(watch) = tasks.watch.take() {
        watch.ended(GRACE).await;
    }
}

async fn write_rest(tasks: &mut EngineTasks, deadline: Instant) -> Undrained {
    let mut left = Undrained::default();
    let mut add = |result: Result<(), Undrained>| {
        if let Err(undrained) = result {
            left.unsent += undrained.unsent;
            left.unknown += undrained.unknown;
        }
    };
    for lane in tasks.lanes.drain(..) {
        add(lane.drain(deadline.saturating_duration_since(Instant::now())).await);
    }
    if let Some(states) = tasks.states.take() {
        add(states.drain(deadline.saturating_duration_since(Instant::now())).await);
    }
    left
}

async fn save_rest(tasks: &mut EngineTasks, deadline: Instant) -> bool {
    tasks.parts.saver.close();
    let Some(mut saving) = tasks.saving.take() else { return true };
    match timeout_at(grace_until(deadline), &mut saving).await {
        Ok(ended) => ended.is_ok(),
        Err(_) => {
            saving.abort();
            false
        }
    }
}

/// Ends those who read the journal; says whether they ended in time.
async fn end_readers(readers: &JournalReaders, deadline: Instant) -> bool {
    readers.end();
    let late = readers.ended(grace_until(deadline)).await;
    if !late.is_empty() {
        log_safely(|| tracing::warn!(readers = ?late, "readers of the journal not ended in time"));
    }
    late.is_empty()
}

/// Gives the writer slot back; says whether that was done in time.
pub(super) async fn release(stores: &Stores, incarnation: Incarnation, last: Instant) -> bool {
    let released = timeout_at(last, stores.writers.release(incarnation)).await;
    let released = released.unwrap_or_else(|_| {
        Err(StoreError::unavailable("giving the writer slot back", "it takes too long"))
    });
    if let Err(error) = &released {
        log_safely(
            || tracing::warn!(%incarnation, error = format!("{error:#}"), "writer slot not released"),
        );
    }
    released.is_ok()
}

async fn close(inner: &RunningEngine, last: Instant) -> bool {
    let closed = timeout_at(last, inner.parts.stores.close()).await.is_ok();
    if !closed {
        log_safely(|| tracing::warn!(engine = inner.name, "stores not closed in time"));
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::idle::start_idle;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn partitions_that_hang_share_their_grace_period() {
        let runtime = start_idle(8).await;
        let RunningEngine { parts, supervisor, .. } = &*runtime.inner;
        // no message reaches their actors any more
        parts.partitions.iter().for_each(|partition| partition.detach());
        let started = Instant::now();
        let deadline = started + Duration::from_secs(5);
        let (unanswered, left) = close_partitions(parts, supervisor.clone(), deadline).await;
        assert_eq!((unanswered, left.len()), (0, 0));
        assert_eq!(started.elapsed(), Duration::from_secs(6));
    }
}
