use super::CatchUp;
use actum_model::{Offset, Partition, Timestamp};
use actum_persistence::progress::ProjectionId;
use std::{num::NonZeroU32, ops::RangeInclusive, sync::Arc, time::Duration};

/// How a projection is, as it is kept and as far as this process knows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProjectionStatus {
    /// Its name and version.
    pub id: ProjectionId,
    /// Whether it runs, and if not, why.
    pub state: ProjectionState,
    /// How far it is behind.
    pub lag: Lag,
    /// How far its first catch-up has come, or that behind a rewind; none when that is over.
    pub catch_up: Option<CatchUp>,
    /// How many events it has handled.
    pub handled: u64,
    /// How many events this process handles a second, over about the last ten; zero if it handles none.
    pub rate: f64,
    /// How long it takes to catch up at this rate; none if that is not known, zero if it has.
    pub eta: Option<Duration>,
    /// How many entities are parked.
    pub parked: u64,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// Which of the events that it handles retention had deleted before it began, if this process has entered it or reset it,
    /// and some were.
    pub missing: Option<Arc<str>>,
    /// Its segments, in order.
    pub segments: Vec<SegmentStatus>,
}

/// Whether a projection runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectionState {
    /// It has not begun yet: it prepares what it writes to, or its database cannot be reached, as it says.
    Starting {
        /// What it waits for, if something has failed.
        waits: Option<Arc<str>>,
    },
    /// It is active, and all segments run, or wait for a runner.
    Running,
    /// Some segments wait for something that cannot be reached, or to try an event again.
    Waiting {
        /// What the first of them waits for.
        why: Arc<str>,
    },
    /// Another version is active, and it has not come to where the journal ended when it began.
    Rebuilding {
        /// The version that is active; none if there is none at the moment.
        active: Option<NonZeroU32>,
        /// How many positions of the journal it has read, of those there were when it began.
        read: u64,
        /// How many there were then. It stays so, for a progress bar; what has come since is a part of the lag.
        target: u64,
    },
    /// Another version is active, and it handles what that has handled.
    Following {
        /// The version that is active; none if there is none at the moment.
        active: Option<NonZeroU32>,
    },
    /// It is paused.
    Paused,
    /// Some segments have stopped, and need a person.
    Stopped {
        /// Why the first of them has.
        why: Arc<str>,
    },
    /// It was [stopped](crate::ProjectionRef::stop) in this process. Others may run it: the owners of its segments do.
    StoppedHere,
    /// It cannot run as it is defined.
    Failed {
        /// Why.
        why: Arc<str>,
    },
    /// The engine was shut down.
    Ended,
}

/// How far a projection is behind the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// How many events the slowest segment has not looked at, those of other kinds and partitions included; zero at the head.
    pub events: u64,
    /// How long ago the oldest of them happened, by its time and the clock of this process; zero at the head. None if that
    /// event could not be read.
    pub age: Option<Duration>,
}

/// How a segment is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentStatus {
    /// Its partitions.
    pub partitions: RangeInclusive<Partition>,
    /// How far it has come; what is saved of that, where another process runs it.
    pub offset: Offset,
    /// Who runs it.
    pub owner: Option<Arc<str>>,
    /// How many events were handled.
    pub handled: u64,
    /// When its progress was saved last, by the clock of its runner.
    pub saved_at: Timestamp,
    /// Why it waits, if this process runs it and it does.
    pub waits: Option<Arc<str>>,
    /// Why it has stopped, if it has.
    pub stopped: Option<Arc<str>>,
}
