use crate::service::{Lag, ProjectionState, ProjectionStatus};
use actum_model::Offset;
use std::sync::Arc;

/// How a durable subscription is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubscriptionStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it runs, and if not, why.
    pub state: ProjectionState,
    /// How far what is acknowledged is behind the journal.
    pub lag: Lag,
    /// How far everything is acknowledged, skipped or parked: as far as this process knows if it holds the subscription, else
    /// what is saved of that.
    pub offset: Offset,
    /// The process that holds it.
    pub owner: Option<Arc<str>>,
    /// How many events were acknowledged.
    pub handled: u64,
    /// How many dead letters there are.
    pub dead_letters: u64,
    /// How many consumers this process has.
    pub consumers: usize,
    /// How many events those have in flight.
    pub in_flight: usize,
    /// How many bytes of events this process holds for them, in flight or waiting.
    pub held_bytes: usize,
}

/// What a process has of a subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SubscribedHere {
    pub(super) consumers: usize,
    pub(super) in_flight: usize,
    pub(super) held_bytes: usize,
}

impl SubscriptionStatus {
    pub(super) fn new(name: &Arc<str>, status: ProjectionStatus, here: SubscribedHere) -> Self {
        let SubscribedHere { consumers, in_flight, held_bytes } = here;
        let ProjectionStatus { state, lag, handled, dead_letters, segments, .. } = status;
        let segment = segments.into_iter().next();
        let (offset, owner) = segment.map_or_else(
            || (Offset::of_positions([]), None),
            |segment| (segment.offset, segment.owner),
        );
        let name = Arc::clone(name);
        Self {
            name,
            state,
            lag,
            offset,
            owner,
            handled,
            dead_letters,
            consumers,
            in_flight,
            held_bytes,
        }
    }
}
