use crate::segment::Backoff;
use std::time::Duration;

/// By what a subscription decides.
#[derive(Clone, Debug)]
pub struct SubscriptionRules {
    /// How many events a consumer has in flight at most,
    pub in_flight_max: usize,
    /// and how many bytes of them, one event at least.
    pub in_flight_bytes_max: usize,
    /// How many consumers there are at most.
    pub consumers_max: usize,
    /// So many events are held before no more are read,
    pub buffer_events: usize,
    /// or so many bytes of them.
    pub buffer_bytes: usize,
    /// How many events are behind the oldest one that is not settled before no more are read.
    pub ahead_max: usize,
    /// How long an event may be in flight, if not for ever.
    pub ack_timeout: Option<Duration>,
    /// How often an event is tried again.
    pub retries: u32,
    /// How long it waits between tries.
    pub backoff: Backoff,
    /// What is done about an event when it may not be tried again.
    pub on_exhausted: LastResort,
    /// What is done about an event that cannot be decoded.
    pub on_undecodable: LastResort,
    /// How many events are settled before that is saved,
    pub checkpoint_events: u64,
    /// and how long after the last save at most.
    pub checkpoint_interval: Duration,
}

/// What is done about an event that a subscription cannot have handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LastResort {
    /// The subscription stops, visibly, until a person has it resumed.
    Stop,
    /// The event is kept as a dead letter, which can be replayed; the others go on.
    Park,
    /// The event is skipped, and nothing is kept of it.
    Skip,
}
