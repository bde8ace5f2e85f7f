use super::{ConsumerNr, LastResort, NotAcked, SubscriptionMachine};
use actum_model::Timestamp;
use actum_persistence::progress::{DeadLetter, DeadLetterPlace, Epoch};
use std::{sync::Arc, time::Duration};

/// What is to be done about an event that a consumer could not handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Nack {
    /// It is delivered again, to any consumer; later events of its entity that wait come behind it. After as many retries as
    /// its settings allow the subscription does what they say of an exhausted event.
    Retry {
        /// After which time, a day at most; after pauses that double, as they are set, if none is said.
        after: Option<Duration>,
    },
    /// It is skipped, and nothing is kept of it.
    Skip,
    /// It is kept as a dead letter, which can be replayed.
    Park,
}

const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// When and why an event was not handled.
#[derive(Clone, Debug)]
pub struct NackedWith {
    /// What went wrong.
    pub error: Arc<str>,
    /// By a clock that does not step.
    pub now: Duration,
    /// By the wall clock.
    pub wall: Timestamp,
    /// A number between 0 and 1.
    pub chance: f64,
}

impl SubscriptionMachine {
    /// A consumer has not handled an event.
    ///
    /// # Errors
    /// [`NotAcked`] when it does not have the event in flight.
    pub fn nack(
        &mut self,
        consumer: ConsumerNr,
        epoch: Epoch,
        place: DeadLetterPlace,
        nack: Nack,
        with: &NackedWith,
    ) -> Result<(), NotAcked> {
        let nr = self.in_flight_nr(consumer, epoch, place)?;
        match nack {
            Nack::Skip => self.settle(nr),
            Nack::Park => self.park(nr, with),
            Nack::Retry { after } => {
                let backoff = self.rules.backoff;
                let Some(event) = self.events.get(&nr) else { return Ok(()) };
                let after = after.unwrap_or_else(|| backoff.after(event.failures + 1, with.chance));
                self.tried(nr, Some(with.now + after.min(RETRY_AFTER_MAX)), with);
            }
        }
        Ok(())
    }

    /// An event was tried again in vain: it is given up, or waits for another try until then.
    pub(super) fn tried(&mut self, nr: u64, until: Option<Duration>, with: &NackedWith) {
        let (retries, last_resort) = (self.rules.retries, self.rules.on_exhausted);
        let Some(event) = self.events.get_mut(&nr) else { return };
        event.failures += 1;
        if event.failures > retries {
            self.give_up(nr, last_resort, with);
        } else {
            self.put_back(nr, until);
        }
    }

    /// An event cannot be decoded.
    ///
    /// # Errors
    /// [`NotAcked`] when the consumer does not have it in flight.
    pub fn undecodable(
        &mut self,
        consumer: ConsumerNr,
        epoch: Epoch,
        place: DeadLetterPlace,
        with: &NackedWith,
    ) -> Result<(), NotAcked> {
        let nr = self.in_flight_nr(consumer, epoch, place)?;
        let last_resort = self.rules.on_undecodable;
        self.give_up(nr, last_resort, with);
        Ok(())
    }

    fn give_up(&mut self, nr: u64, last_resort: LastResort, with: &NackedWith) {
        match last_resort {
            LastResort::Skip => self.settle(nr),
            LastResort::Park => self.park(nr, with),
            LastResort::Stop => {
                self.put_back(nr, None);
                self.stop(&with.error);
            }
        }
    }

    fn park(&mut self, nr: u64, with: &NackedWith) {
        let Some(event) = self.events.get(&nr) else { return };
        let letter = DeadLetter {
            place: event.place(),
            entity: event.event.entity.clone(),
            partition: event.event.partition,
            sequence_nr: event.event.event.sequence_nr,
            event_id: event.event.event.event_id,
            manifest: event.event.event.payload.manifest.as_ref().into(),
            error: Arc::clone(&with.error),
            attempts: event.deliveries,
            skipped_at: with.wall,
            is_requested: false,
        };
        self.settle(nr);
        // one that was parked again takes the place of the letter that it was
        self.unkept.parked.push(letter);
    }
}
