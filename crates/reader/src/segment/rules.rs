use super::{Backoff, OnFailure};
use actum_persistence::store::PageLimit;
use std::time::Duration;

/// By what a segment decides.
#[derive(Clone, Debug)]
pub struct SegmentRules {
    /// How much a batch has at most.
    pub batch: PageLimit,
    /// How long after a batch the next one begins at the earliest, while there is less than a batch.
    pub batch_interval: Duration,
    /// How often an event is tried again.
    pub retries: u32,
    /// How long it waits between tries of an event.
    pub backoff: Backoff,
    /// How long it waits while what it needs cannot be reached.
    pub unavailable: Backoff,
    /// What is done about an event that fails every time.
    pub on_failure: OnFailure,
    /// What is done about an event of a type that this program does not know.
    pub on_unknown: OnFailure,
    /// How many entities are parked at most.
    pub parked_max: usize,
    /// How many entities in a row may be parked without an event that was handled in between.
    pub parked_in_row_max: u32,
    /// Whether an entity has one event only, its last: then one that is not there any more was followed by a later one.
    pub latest_only: bool,
    /// Whether a batch is handled as a whole or not at all.
    pub is_exact: bool,
    /// How long progress over events that were only skipped may stay unsaved.
    pub save_interval: Duration,
}
