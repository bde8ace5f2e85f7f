use actum_model::Partition;
use actum_persistence::progress::Segment;
use std::{ops::RangeInclusive, sync::Arc};

/// Why a projection was not divided into other segments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotDivided {
    /// A segment has one partition at least.
    #[error("the journal has {partitions} partitions, and each segment has one at least")]
    TooMany {
        /// How many segments there may be.
        partitions: u16,
    },
    /// It is a durable subscription, which reads its events as one sequence.
    #[error("a durable subscription has one segment")]
    Subscription,
    /// Another call divides it.
    #[error("{runner} divides it, or did so less than a lease ago")]
    InProgress {
        /// The runner that does.
        runner: Arc<str>,
    },
    /// It is paused, and segments that would be merged have not come to the same place.
    #[error("it is paused, and segment {} is {behind} positions behind one that it would be merged with", shown(.partitions))]
    Paused {
        /// The partitions of a segment that is behind.
        partitions: RangeInclusive<Partition>,
        /// How many positions it is behind.
        behind: u64,
    },
    /// A segment that would be merged has stopped, and needs a person.
    #[error("segment {} would be merged, and has stopped: {why}", shown(.partitions))]
    Stopped {
        /// Its partitions.
        partitions: RangeInclusive<Partition>,
        /// Why it has stopped.
        why: Arc<str>,
    },
    /// A segment is too far behind one that it would be merged with: it is to catch up first.
    #[error(
        "segment {} is {behind} positions behind one that it would be merged with, {behind_max} are allowed",
        shown(.partitions)
    )]
    FarBehind {
        /// Its partitions.
        partitions: RangeInclusive<Partition>,
        /// How many positions it is behind.
        behind: u64,
        /// How many it may be.
        behind_max: u64,
    },
    /// The segment has not come to the place of those that it would be merged with in time.
    #[error(
        "segment {} has not caught up in time with those that it would be merged with",
        shown(.partitions)
    )]
    TooSlow {
        /// Its partitions.
        partitions: RangeInclusive<Partition>,
    },
    /// Runners have not given back their segments in time, or others changed the projection again and again.
    #[error("its runners have not given back their segments in time")]
    Busy,
    /// The projection was stopped in this process: one divides it that runs it.
    #[error("it was stopped in this process")]
    StoppedHere,
    /// The projection ends in this process.
    #[error("the engine shuts down")]
    Ending,
}

/// As segments are written everywhere else.
fn shown(partitions: &RangeInclusive<Partition>) -> String {
    let segment = Segment::new(*partitions.start(), *partitions.end());
    segment.map_or_else(String::new, |segment| segment.to_string())
}
