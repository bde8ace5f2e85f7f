use crate::term::Term;
use actum_model::Partition;
use std::sync::Arc;
use thiserror::Error;
use tokio::{sync::oneshot, time::Instant};

/// A message to the supervisor.
pub(crate) enum SupervisorMessage {
    /// Open a partition, for a term; say when it serves.
    Open {
        partition: Partition,
        term: Arc<Term>,
        opened: oneshot::Sender<Result<(), PartitionNotOpened>>,
    },
    /// Close a partition; say when that is done.
    Close { partition: Partition, close: Close, closed: oneshot::Sender<Closed> },
    /// A timer of a partition has run out.
    Due(Due),
}

impl ractor::Message for SupervisorMessage {}

/// How to close a partition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Close {
    /// Until when it may finish what it has taken.
    pub(crate) deadline: Instant,
    /// Why commands fail that it has not answered by then.
    pub(crate) reason: &'static str,
}

/// What a partition was to be reminded of, as long as it is in this stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(super) partition: Partition,
    pub(super) stage_nr: u64,
    pub(super) what: Timer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// Start its actor again.
    Restart,
    /// Answer late commands to it, as long as it is down. The watchdog would end their waits as well, but only in real time
    /// and without taking the commands out of the inbox, whose room they fill.
    Expire,
    /// The time it had to close is over.
    Deadline,
    /// The time it had to fail what was left is over, too.
    Grace,
}

/// How a partition was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Closed {
    /// Commands that failed because the partition was closed before it had answered them. What was sent by `tell` counts,
    /// too.
    pub unanswered: usize,
    /// Whether a handler still runs. Its command has failed; what it decides is neither answered nor written. The partition
    /// can be opened again once it has returned.
    pub is_stuck: bool,
}

/// Why a partition was not opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartitionNotOpened {
    /// It is open, in the term it was opened with.
    #[error("the partition is open")]
    AlreadyOpen,
    /// It is being closed, or a handler of it has not returned yet.
    #[error("the partition is being closed")]
    Closing,
    /// The journal has no such partition.
    #[error("the journal has {count} partitions")]
    Unknown {
        /// How many it has.
        count: u16,
    },
    /// The engine serves nothing any more.
    #[error("the engine has ended")]
    Ended,
    /// It could not be started.
    #[error("the partition does not start: {what}")]
    NotStarted {
        /// What happened.
        what: String,
    },
}
