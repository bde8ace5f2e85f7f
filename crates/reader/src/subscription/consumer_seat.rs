use actum_persistence::progress::DeadLetterPlace;
use std::collections::{BTreeSet, VecDeque};

/// Names a consumer of a subscription within this process.
pub type ConsumerNr = u64;

/// What is known of a consumer.
#[derive(Debug, Default)]
pub(super) struct ConsumerSeat {
    /// Whether it asks for an event.
    pub(super) is_asking: bool,
    /// When it got one last, counted by events.
    pub(super) served: u64,
    /// Its events in flight.
    pub(super) in_flight: BTreeSet<u64>,
    /// How many bytes those have.
    pub(super) in_flight_bytes: usize,
    /// Waiting events that only it may get: those whose key it has in flight.
    pub(super) own: BTreeSet<HandoutTurn>,
    /// An event that it got and has not fetched.
    pub(super) handed: Option<u64>,
    /// The last events that were taken from it because it had them for too long.
    pub(super) timed_out: VecDeque<DeadLetterPlace>,
}

/// The order in which waiting events go: those that were in flight before come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HandoutTurn {
    pub(super) is_new: bool,
    pub(super) nr: u64,
}
