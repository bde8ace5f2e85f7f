use super::{Inner, crew::Crew};
use crate::{
    Failure,
    partition::{Door, PartitionMessage},
};
use actum_persistence::group_commit::Undrained;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

/// What a shutdown could not finish. All zero and `released` after a clean one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct ShutdownReport {
    /// Commands whose callers got a failure instead of an answer.
    pub unanswered: usize,
    /// Writes that were not sent to the store; their callers know.
    pub unsent: usize,
    /// Writes whose outcome is unknown; their callers know.
    pub unknown: usize,
    /// Whether all snapshots that waited were saved.
    pub snapshots_saved: bool,
    /// Whether the journal was given back, so that the next engine need not wait for a lease to run out.
    pub released: bool,
}

impl ShutdownReport {
    /// Whether everything was finished.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self
            == Self { unanswered: 0, unsent: 0, unknown: 0, snapshots_saved: true, released: true }
    }
}

/// How long the partitions have to fail what is left once the time is over.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(super) async fn shutdown(inner: &Inner) -> ShutdownReport {
    let mut report = ShutdownReport {
        unanswered: 0,
        unsent: 0,
        unknown: 0,
        snapshots_saved: true,
        released: true,
    };
    let Some(mut crew) = inner.crew.lock().await.take() else { return report };
    let deadline = Instant::now() + inner.settings.shutdown_timeout;
    inner.gate.shut(&Failure::unavailable("the engine is shutting down"));
    report.unanswered = drain(&crew.doors, deadline).await;
    let undrained = write_rest(&mut crew, deadline).await;
    (report.unsent, report.unknown) = (undrained.unsent, undrained.unknown);
    report.snapshots_saved = save_rest(&mut crew, deadline).await;
    report.unanswered += inner.gate.clear(); // of partitions that are down
    drop(crew);
    report.released = match inner.stores.writers.release(inner.incarnation).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(engine = inner.name, %error, "writer slot not given back");
            false
        }
    };
    inner.stores.close().await;
    if report.is_clean() {
        tracing::info!(engine = inner.name, "engine shut down");
    } else {
        tracing::warn!(engine = inner.name, ?report, "engine shut down with work unfinished");
    }
    report
}

/// Lets all partitions finish, then fails what is left; says how many commands that were.
async fn drain(doors: &[Arc<Door>], deadline: Instant) -> usize {
    let drained: Vec<_> = doors
        .iter()
        .map(|door| {
            let (sender, receiver) = oneshot::channel();
            door.send(PartitionMessage::Drain(sender));
            receiver
        })
        .collect();
    let mut unanswered = 0;
    for (door, drained) in doors.iter().zip(drained) {
        if !matches!(timeout_at(deadline, drained).await, Ok(Ok(()))) {
            unanswered += abandon(door).await;
        }
    }
    unanswered
}

async fn abandon(door: &Door) -> usize {
    let (sender, receiver) = oneshot::channel();
    door.send(PartitionMessage::Abandon(
        "the engine was shut down before the command was answered",
        sender,
    ));
    match timeout(LAST_WORDS, receiver).await {
        Ok(Ok(unanswered)) => unanswered,
        _ => 0, // it is gone, and its commands were answered when it went
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
    if timeout_at(deadline, &mut saving).await.is_ok() {
        return true;
    }
    saving.abort();
    false
}
