use super::{Backoff, OnFailure};
use actum_persistence::store::PageLimit;
use std::time::Duration;

/// By what a segment decides.
#[derive(Clone, Debug)]
pub(crate) struct SegmentRules {
    /// How much a batch has at most.
    pub(crate) batch: PageLimit,
    /// How long after a batch the next one begins at the earliest, while there is less than a batch.
    pub(crate) batch_interval: Duration,
    /// How often an event is tried again.
    pub(crate) retries: u32,
    /// How long it waits between tries of an event.
    pub(crate) backoff: Backoff,
    /// How long it waits while what it needs cannot be reached.
    pub(crate) unavailable: Backoff,
    /// What is done about an event that fails every time.
    pub(crate) on_failure: OnFailure,
    /// What is done about an event of a type that this program does not know.
    pub(crate) on_unknown: OnFailure,
    /// How many entities are parked at most.
    pub(crate) parked_max: usize,
    /// How many entities in a row may be parked without an event that was handled in between.
    pub(crate) parked_in_row_max: u32,
    /// Whether an entity has one event only, its last: then one that is not there any more was followed by a later one.
    pub(crate) latest_only: bool,
    /// Whether a batch is handled as a whole or not at all.
    pub(crate) is_exact: bool,
    /// How long progress over events that were only skipped may stay unsaved.
    pub(crate) save_interval: Duration,
}
