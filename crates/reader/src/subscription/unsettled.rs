use super::{AffinityKey, ConsumerNr};
use actum_model::{Lane, Offset};
use actum_persistence::{progress::DeadLetterPlace, store::JournalEvent};
use std::time::Duration;

/// An event that is neither acknowledged nor skipped nor parked.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) lane: Lane,
    pub(super) event: JournalEvent,
    /// Behind it, and behind everything that was read before it.
    pub(super) offset: Offset,
    pub(super) key: AffinityKey,
    pub(super) holder: Holder,
    /// Since when it is in flight, if it is.
    pub(super) in_flight_since: Duration,
    /// How often it was delivered.
    pub(super) deliveries: u32,
    /// How often a consumer has asked for another try, or had it for too long.
    pub(super) failures: u32,
    /// Whether it is a dead letter that is replayed.
    pub(super) is_letter: bool,
}

/// Who has an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// No one; and no one gets it before then.
    Waits(Option<Duration>),
    Consumer(ConsumerNr),
}

impl Unsettled {
    pub(super) fn place(&self) -> DeadLetterPlace {
        DeadLetterPlace { lane: self.lane, position: self.event.event.position }
    }
}
