use super::messages::{Close, Closed, Due, SupervisorMessage};
use crate::{partition::PartitionState, restarts::Restarts};
use ractor::ActorRef;
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// What a supervisor knows of a partition.
pub(super) struct Supervised {
    stage: Stage,
    /// Counts the stages: a timer that was set in a former one means nothing.
    stage_nr: u64,
    pub(super) restarts: Restarts,
}

/// The life of a partition.
///
/// ```text
///   closed ──open──▶ serving ──failed──▶ down ──restart──▶ serving
///      ▲                │                  └──close──▶ closed
///      │              close
///      │                ▼
///      ├──has stopped── closing ──deadline, grace──▶ stuck ──┐
///      └──────────────────────────────has stopped────────────┘
/// ```
pub(super) enum Stage {
    Closed,
    Serving,
    /// Its actor has failed or gone; it is started again after a pause.
    Down {
        /// To start it again.
        _restart: Reminder,
        /// To answer late commands meanwhile.
        expire: Reminder,
    },
    Closing(Closing),
    /// It was not waited for any longer, and its actor still runs.
    Stuck,
}

/// A partition on its way from serving to closed.
pub(super) struct Closing {
    pub(super) close: Close,
    /// Notify the callers who wait for it.
    pub(super) waiting: Vec<oneshot::Sender<Closed>>,
    /// Of the deadline, then of the grace period behind it.
    pub(super) reminder: Reminder,
}

/// A timer that sends the supervisor a message, unless it is dropped before.
#[must_use]
pub(super) struct Reminder(JoinHandle<()>);

impl Supervised {
    /// One that is closed.
    pub(super) fn new() -> Self {
        Self { stage: Stage::Closed, stage_nr: 0, restarts: Restarts::new() }
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn stage_mut(&mut self) -> &mut Stage {
        &mut self.stage
    }

    /// The number of the stage it is in; that of the next one is larger by one.
    pub(super) fn stage_nr(&self) -> u64 {
        self.stage_nr
    }

    /// Goes on to the next stage; gives back the one before.
    pub(super) fn enter(&mut self, stage: Stage) -> Stage {
        self.stage_nr += 1;
        std::mem::replace(&mut self.stage, stage)
    }
}

impl Stage {
    /// What others see of it.
    pub(super) fn state(&self) -> PartitionState {
        match self {
            Self::Closed => PartitionState::Closed,
            Self::Serving => PartitionState::Open,
            Self::Down { .. } => PartitionState::Restarting,
            Self::Closing(_) | Self::Stuck => PartitionState::Closing,
        }
    }
}

impl Closing {
    /// Notifies all who wait that it is done.
    pub(super) fn done(self, closed: Closed) {
        for waiting in self.waiting {
            let _ = waiting.send(closed); // the caller may have gone
        }
    }
}

impl Reminder {
    pub(super) fn at(instant: Instant, due: Due, supervisor: &ActorRef<SupervisorMessage>) -> Self {
        let supervisor = supervisor.clone();
        Self(tokio::spawn(async move {
            sleep_until(instant).await;
            let _ = supervisor.cast(SupervisorMessage::Due(due)); // it may have ended
        }))
    }
}

impl Drop for Reminder {
    fn drop(&mut self) {
        self.0.abort();
    }
}
