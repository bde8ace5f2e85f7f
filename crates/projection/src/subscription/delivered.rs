use super::{ack_error::AckError, consumer_group::ConsumerGroup};
use actum_model::{Lane, Offset, Position};
use actum_persistence::{
    progress::{DeadLetterPlace, Epoch},
    store::EventId,
};
use actum_reader::subscription::{ConsumerNr, Nack, NotAcked, SubscriptionMachine};
use std::{fmt, sync::Arc};

/// What a subscription has made of an event, and where the event is.
///
/// Of a durable subscription it is in flight until it is [acknowledged](Self::ack) or [given back](Self::nack), its consumer has
/// gone, or its [time](crate::SubscriptionSettings::ack_timeout) is over.
#[must_use = "of a durable subscription it is in flight until it is acknowledged"]
pub struct Delivered<T> {
    pub(super) event: T,
    pub(super) at: DeliveredAt,
    /// How often it was delivered.
    pub(super) attempt: u32,
    /// Where it is acknowledged; nowhere if its subscription is transient.
    pub(super) acks: Option<Acks>,
}

/// Where the outcome of an event is noted.
pub(super) struct Acks {
    pub(super) group: Arc<ConsumerGroup>,
    pub(super) consumer: ConsumerNr,
    pub(super) epoch: Epoch,
}

/// Where a delivered event is.
#[derive(Clone, Debug)]
pub(super) struct DeliveredAt {
    pub(super) event_id: EventId,
    pub(super) lane: Lane,
    pub(super) position: Position,
    /// Behind it, and behind everything that was read before it.
    pub(super) offset: Offset,
}

impl<T> Delivered<T> {
    /// What was made of the event.
    #[must_use]
    pub fn event(&self) -> &T {
        &self.event
    }

    /// What was made of the event.
    #[must_use]
    pub fn into_event(self) -> T {
        self.event
    }

    /// What names the event, for ever and in every copy of the journal.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.at.event_id
    }

    /// Its lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.at.lane
    }

    /// Its place in the lane.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at.position
    }

    /// How far was read when it came: another subscription that begins behind this gets what comes after it, and nothing twice.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        &self.at.offset
    }
}

impl<T> Delivered<T> {
    /// How often it was delivered since this process holds the subscription, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// It was handled, and comes to no consumer again once that is saved. Of a transient subscription that changes nothing.
    ///
    /// # Errors
    /// [`AckError`] when it is not in flight, or was for too long, or the subscription was lost meanwhile, so that it comes again.
    pub fn ack(&self) -> Result<(), AckError> {
        let Some(acks) = &self.acks else { return Ok(()) };
        acks.settle(|machine| machine.ack(acks.consumer, acks.epoch, self.place()))
    }

    /// It was not handled, for this reason.
    ///
    /// # Errors
    /// [`AckError`] when it is not in flight, or was for too long, or the subscription was lost meanwhile, or is transient.
    pub fn nack(&self, nack: Nack, error: impl fmt::Display) -> Result<(), AckError> {
        let Some(acks) = &self.acks else { return Err(AckError::Transient) };
        let with = acks.group.nacked_with(actum_reader::segment::cut(&error.to_string()).into());
        acks.settle(|machine| machine.nack(acks.consumer, acks.epoch, self.place(), nack, &with))
    }

    fn place(&self) -> DeadLetterPlace {
        DeadLetterPlace { lane: self.at.lane, position: self.at.position }
    }
}

impl Acks {
    fn settle(
        &self,
        settle: impl FnOnce(&mut SubscriptionMachine) -> Result<(), NotAcked>,
    ) -> Result<(), AckError> {
        self.group.settle(settle).map_err(|error| AckError::new(error, &self.group.name))
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivered").field("event", &self.event).field("at", &self.at).finish()
    }
}
