use super::{
    Delivered, Subscription, SubscriptionError,
    ack_error::AckError,
    consumer_group::{ConsumerGroup, NextEvent},
    delivered::{Acks, DeliveredAt},
};
use actum_model::Offset;
use actum_persistence::{
    error_chain::full_text,
    panics::log_safely,
    progress::{DeadLetterPlace, Epoch},
};
use actum_reader::{
    segment::error_text,
    subscription::{ConsumerNr, Handout},
};
use std::sync::Arc;
use tokio::sync::Notify;

/// A consumer of a durable subscription.
pub(super) struct Member<T> {
    subscription: Subscription<T>,
    seat: Seat,
    waker: Arc<Notify>,
    /// Of the event that was delivered last.
    offset: Offset,
    epoch: Epoch,
}

/// The place of a consumer in its group, which it leaves when this is dropped.
struct Seat {
    group: Arc<ConsumerGroup>,
    nr: ConsumerNr,
}

/// A consumer that waits; it does not any more when this is dropped.
struct AskingConsumer<'a>(&'a Seat);

impl<T: 'static> Member<T> {
    pub(super) fn new(
        subscription: Subscription<T>,
        group: Arc<ConsumerGroup>,
        (nr, waker): (ConsumerNr, Arc<Notify>),
        offset: Offset,
    ) -> Self {
        let (seat, epoch) = (Seat { group, nr }, Epoch::default());
        Self { subscription, seat, waker, offset, epoch }
    }

    pub(super) fn offset(&self) -> &Offset {
        &self.offset
    }

    pub(super) async fn next(&mut self) -> Result<Option<Delivered<T>>, SubscriptionError> {
        loop {
            tokio::task::consume_budget().await; // a selector may skip many events in a row
            match self.seat.group.ask(self.seat.nr) {
                NextEvent::Event(handout) => {
                    if let Some(delivered) = self.delivered(handout)? {
                        return Ok(Some(delivered));
                    }
                }
                NextEvent::Nothing => {
                    let _waiting = AskingConsumer(&self.seat);
                    self.waker.notified().await;
                }
                NextEvent::Stopped(why) => return Err(SubscriptionError::Stopped { why }),
                NextEvent::End => return Ok(None),
            }
        }
    }

    /// What is delivered of an event; nothing if it is skipped.
    fn delivered(&mut self, handout: Handout) -> Result<Option<Delivered<T>>, SubscriptionError> {
        let Handout { epoch, lane, event, offset, attempt } = handout;
        let (position, event_id) = (event.event.position, event.event.event_id);
        let (group, nr) = (&self.seat.group, self.seat.nr);
        let place = DeadLetterPlace { lane, position };
        let mapped = match self.subscription.source_of(&event) {
            Some(source) => source.map(lane, event),
            None => Ok(None),
        };
        let event = match mapped {
            Ok(Some(event)) => event,
            Ok(None) => {
                // what was lost meanwhile comes again, and is skipped then
                let _ = group.settle(|machine| machine.skip(nr, epoch, place));
                return Ok(None);
            }
            Err(error) => {
                let with = group.nacked_with(error_text(&error));
                let _ = group.settle(|machine| machine.undecodable(nr, epoch, place, &with));
                if group.state().machine.stops().is_some() {
                    return Err(SubscriptionError::Undecodable(error));
                }
                let name = &group.name;
                log_safely(
                    || tracing::warn!(subscription = %name, error = full_text(&error), "an event that cannot be decoded is not delivered"),
                );
                return Ok(None);
            }
        };
        self.offset.clone_from(&offset);
        self.epoch = epoch;
        let at = DeliveredAt { event_id, lane, position, offset };
        let acks = Some(Acks { group: Arc::clone(group), consumer: nr, epoch });
        Ok(Some(Delivered { event, at, attempt, acks }))
    }

    pub(super) fn ack_up_to(&self, offset: &Offset) -> Result<usize, AckError> {
        let (group, nr) = (&self.seat.group, self.seat.nr);
        let acked = group.settle(|machine| machine.ack_up_to(nr, self.epoch, offset));
        acked.map_err(|error| AckError::new(error, &group.name))
    }

    /// Leaves, and waits until what was acknowledged is saved, if no other consumer goes on.
    pub(super) async fn unsubscribe(self) {
        let group = Arc::clone(&self.seat.group);
        drop(self);
        if group.is_ending() {
            group.wait_for_end().await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.group.leave(self.nr);
        self.group.changed.notify_one();
    }
}

impl Drop for AskingConsumer<'_> {
    fn drop(&mut self) {
        self.0.group.stop_asking(self.0.nr);
    }
}
