use super::{Inner, JournalReaders, crew::Crew};
use crate::partition::{Door, PartitionMessage};
use actum_host::Failure;
use actum_persistence::{
    group_commit::Undrained,
    panics::log_safely,
    store::{Incarnation, StoreError, Stores},
};
use std::{sync::Arc, time::Duration};
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
    /// Commands whose callers got a failure instead of an answer at the end, commands sent by `tell` included. Those of a
    /// handler that is stuck are among them: whatever it does when it returns is neither answered nor written.
    pub unanswered: usize,
    /// Writes that were not sent to the store; their callers know.
    pub unsent: usize,
    /// Writes whose outcome is unknown; their callers know.
    pub unknown: usize,
    /// Whether all snapshots that waited, or were taken on the way, were saved.
    pub snapshots_saved: bool,
    /// Whether all [readers](super::JournalReaders) of the journal have ended.
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
    /// Who works, until the end begins.
    crew: Option<Crew>,
    under_way: Option<JoinHandle<ShutdownReport>>,
    /// What was finished, in the end; before that nothing is.
    report: ShutdownReport,
}

impl Ending {
    /// Not begun yet.
    pub(super) fn of(crew: Crew) -> Self {
        let report = ShutdownReport {
            unanswered: 0,
            unsent: 0,
            unknown: 0,
            snapshots_saved: false,
            readers_ended: false,
            released: false,
            closed: false,
        };
        Self { crew: Some(crew), under_way: None, report }
    }
}

/// Ends the runtime in a task of its own, which goes on when the caller goes away. Whoever comes second waits for the
/// first, and gets the same report.
pub(super) async fn shutdown(inner: &Arc<Inner>) -> ShutdownReport {
    let mut ending = inner.ending.lock().await;
    let Ending { crew, under_way, report } = &mut *ending;
    if let Some(crew) = crew.take() {
        inner.gate.health().shuts_down();
        inner.gate.shut(&Failure::unavailable("the engine is shutting down"));
        *under_way = Some(tokio::spawn(end(Arc::clone(inner), crew).in_current_span()));
    }
    if let Some(task) = under_way {
        match task.await {
            Ok(ended) => *report = ended,
            Err(error) => {
                log_safely(|| tracing::error!(engine = inner.name, %error, "shutdown failed"));
                report.unanswered = give_up(inner);
            }
        }
        *under_way = None;
    }
    *report
}

async fn end(inner: Arc<Inner>, mut crew: Crew) -> ShutdownReport {
    let deadline = Instant::now() + inner.settings.shutdown_timeout;
    let lost = crew.saver.lost();
    let mut unanswered = drain(&crew.doors, deadline).await;
    unanswered += give_up(&inner);
    let Undrained { unsent, unknown } = write_rest(&mut crew, deadline).await;
    let saved = save_rest(&mut crew, deadline).await;
    let snapshots_saved = saved && crew.saver.lost() == lost;
    // nothing is written any more: what they have seen then is all there is
    let readers_ended = end_readers(&crew.readers, deadline).await;
    end_watch(&mut crew).await;
    drop(crew);
    let released = release(&inner.stores, inner.incarnation, last_words(deadline)).await;
    let closed = close(&inner, last_words(deadline)).await;
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

/// How long each of these has at least, even if the time is over: partitions to fail what is left, snapshots to be saved,
/// readers to end, a store to take the journal back, and to close.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(super) fn last_words(deadline: Instant) -> Instant {
    deadline.max(Instant::now() + LAST_WORDS)
}

/// Why commands fail that are not answered by then.
const UNANSWERED: &str = "the engine was shut down before the command was answered";

/// Lets all partitions finish, then fails what is left; says how many commands that were.
async fn drain(doors: &[Arc<Door>], deadline: Instant) -> usize {
    let drained: Vec<_> = doors
        .iter()
        .map(|door| {
            let (sender, receiver) = oneshot::channel();
            door.send(PartitionMessage::Drain(sender));
            (door, receiver)
        })
        .collect();
    let mut late = Vec::new();
    for (door, drained) in drained {
        if !matches!(timeout_at(deadline, drained).await, Ok(Ok(()))) {
            late.push(door);
        }
    }
    abandon(late).await
}

async fn abandon(doors: Vec<&Arc<Door>>) -> usize {
    let counts: Vec<_> = doors
        .into_iter()
        .map(|door| {
            let (sender, receiver) = oneshot::channel();
            door.send(PartitionMessage::Abandon(UNANSWERED, sender));
            receiver
        })
        .collect();
    let last = Instant::now() + LAST_WORDS; // of all together: one that hangs does not take the time of another
    let mut unanswered = 0;
    for count in counts {
        // one that says nothing is gone, and its commands were answered when it went
        unanswered += timeout_at(last, count).await.map_or(0, Result::unwrap_or_default);
    }
    unanswered
}

/// Answers the commands of partitions that are down, or stuck in a handler and not waited for any longer; says how many
/// that were. A partition that comes back begins none of them, and its answers reach no one.
fn give_up(inner: &Inner) -> usize {
    inner.gate.clear() + inner.gate.give_up(UNANSWERED)
}

async fn end_watch(crew: &mut Crew) {
    crew.load.watchdog().end();
    if let Some(watch) = crew.watch.take() {
        watch.ended(LAST_WORDS).await;
    }
}

async fn write_rest(crew: &mut Crew, deadline: Instant) -> Undrained {
    let mut left = Undrained::default();
    let mut add = |result: Result<(), Undrained>| {
        if let Err(undrained) = result {
            left.unsent += undrained.unsent;
            left.unknown += undrained.unknown;
        }
    };
    for lane in crew.lanes.drain(..) {
        add(lane.drain(deadline.saturating_duration_since(Instant::now())).await);
    }
    if let Some(states) = crew.states.take() {
        add(states.drain(deadline.saturating_duration_since(Instant::now())).await);
    }
    left
}

async fn save_rest(crew: &mut Crew, deadline: Instant) -> bool {
    crew.saver.close();
    let Some(mut saving) = crew.saving.take() else { return true };
    match timeout_at(last_words(deadline), &mut saving).await {
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
    let late = readers.ended(last_words(deadline)).await;
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

async fn close(inner: &Inner, last: Instant) -> bool {
    let closed = timeout_at(last, inner.stores.close()).await.is_ok();
    if !closed {
        log_safely(|| tracing::warn!(engine = inner.name, "stores not closed in time"));
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Alarm;
    use actum_model::{Lane, PartitionCount};
    use ractor::{Actor, ActorProcessingErr, ActorRef};

    /// Keeps what it is told, and never answers.
    struct Deaf;

    impl Actor for Deaf {
        type Msg = PartitionMessage;
        type State = Vec<PartitionMessage>;
        type Arguments = ();

        async fn pre_start(
            &self,
            _: ActorRef<PartitionMessage>,
            (): (),
        ) -> Result<Vec<PartitionMessage>, ActorProcessingErr> {
            Ok(Vec::new())
        }

        async fn handle(
            &self,
            _: ActorRef<PartitionMessage>,
            message: PartitionMessage,
            heard: &mut Vec<PartitionMessage>,
        ) -> Result<(), ActorProcessingErr> {
            heard.push(message);
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn partitions_that_hang_share_the_time_for_their_last_words() {
        let alarm = Arc::new(Alarm::new());
        let mut doors = Vec::new();
        for partition in PartitionCount::new(8).expect("8 is a count").iter() {
            let door = Door::new(partition, Lane::default(), Arc::clone(&alarm));
            let (actor, _) = Actor::spawn(None, Deaf, ()).await.expect("an actor starts");
            door.move_in(actor);
            doors.push(Arc::new(door));
        }
        let started = Instant::now();
        let deadline = started + Duration::from_secs(5);
        assert_eq!(drain(&doors, deadline).await, 0);
        assert_eq!(started.elapsed(), Duration::from_secs(6));
    }
}
