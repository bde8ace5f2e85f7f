use crate::Moment;
use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

/// What a partition does for one kind of entity at the moment, for others to see. It outlives the partition's actor.
pub(super) struct HandlerRun {
    /// Which code of the user's runs: a place in the batch that was taken, or one of the steps below.
    step: AtomicUsize,
    /// Since when.
    since: AtomicU64,
    /// Of which run, by its beginning, a warning was given.
    warned: AtomicU64,
    /// How many commands the partition holds, those that no caller waits for included.
    unanswered: AtomicUsize,
    given_up: AtomicBool,
}

/// Which code of the user's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunStep {
    /// The handler of the command at this place of the batch.
    Command(usize),
    /// The handler of the command at this place of those that waited for their entity to recover.
    Resumed(usize),
    /// What makes a state of what was read.
    Recovery,
    /// What is done with what was recorded of a command: its retries are answered, or handled if they are not retries.
    Record,
    /// What was to follow commits.
    AfterCommit,
    /// What encodes the last snapshot of an entity that leaves memory.
    Leaving,
}

const NOTHING: usize = usize::MAX;
const RECOVERY: usize = usize::MAX - 1;
const RECORD: usize = usize::MAX - 2;
const AFTER_COMMIT: usize = usize::MAX - 3;
const LEAVING: usize = usize::MAX - 4;
/// Places from here on are of those that waited.
const RESUMED: usize = usize::MAX / 2;

impl RunStep {
    /// What it is called in logs, if it is of no single command.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Command(_) | Self::Resumed(_) => None,
            Self::Recovery => Some("recovery"),
            Self::Record => Some("recorded reply"),
            Self::AfterCommit => Some("after_commit"),
            Self::Leaving => Some("passivation"),
        }
    }
}

impl HandlerRun {
    pub(super) fn new() -> Self {
        Self {
            step: AtomicUsize::new(NOTHING),
            since: AtomicU64::new(0),
            warned: AtomicU64::new(u64::MAX),
            unanswered: AtomicUsize::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// This code of the user's runs from now on.
    pub(super) fn begins(&self, step: RunStep, now: Moment) {
        let step = match step {
            RunStep::Command(at) => at,
            RunStep::Resumed(at) => RESUMED + at,
            RunStep::Recovery => RECOVERY,
            RunStep::Record => RECORD,
            RunStep::AfterCommit => AFTER_COMMIT,
            RunStep::Leaving => LEAVING,
        };
        self.since.store(now.as_micros(), Ordering::Relaxed);
        self.step.store(step, Ordering::Release);
    }

    /// No code of the user's runs any more.
    pub(super) fn ends(&self) {
        self.step.store(NOTHING, Ordering::Release);
    }

    /// What has run for longer than `limit`, and since when.
    pub(super) fn slow(&self, limit: Duration, now: Moment) -> Option<(RunStep, Moment)> {
        let step = match self.step.load(Ordering::Acquire) {
            NOTHING => return None,
            RECOVERY => RunStep::Recovery,
            RECORD => RunStep::Record,
            AFTER_COMMIT => RunStep::AfterCommit,
            LEAVING => RunStep::Leaving,
            at if at >= RESUMED => RunStep::Resumed(at - RESUMED),
            at => RunStep::Command(at),
        };
        let since = Moment::from_micros(self.since.load(Ordering::Relaxed));
        (now.since(since) > limit).then_some((step, since))
    }

    /// Whether a run that began then has not been warned of; it counts as warned of from now on.
    pub(super) fn is_new(&self, since: Moment) -> bool {
        self.warned.swap(since.as_micros(), Ordering::Relaxed) != since.as_micros()
    }

    pub(super) fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Acquire)
    }

    pub(super) fn set_unanswered(&self, commands: usize) {
        self.unanswered.store(commands, Ordering::Release);
    }

    /// No command may be begun any more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    /// Commands may be begun, by another actor.
    pub(super) fn begin_again(&self) {
        self.given_up.store(false, Ordering::Release);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
