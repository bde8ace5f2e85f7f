use super::{AckError, Delivered, SubscriptionError, member::Member, transient::Transient};
use actum_model::Offset;
use std::fmt;

/// One to whom the events of a subscription are delivered. Dropping it is its death: what it has in flight goes to the other
/// consumers, or comes again.
pub struct Consumer<T> {
    pub(super) of: ConsumerOf<T>,
}

/// Of what a consumer is.
pub(super) enum ConsumerOf<T> {
    Transient(Box<Transient<T>>),
    Durable(Box<Member<T>>),
}

impl<T: 'static> Consumer<T> {
    /// The next event, once there is one and this consumer may have one more in flight; none when the engine was shut down. What
    /// cannot be reached is waited for; so is a durable subscription that another process holds.
    ///
    /// # Errors
    /// [`SubscriptionError::Undecodable`], and asking again goes on behind that event, or says that a durable subscription has
    /// stopped, as is [set](crate::SubscriptionSettings::on_undecodable); [`SubscriptionError::Stopped`] where the journal has
    /// regressed, or an event needs a person: a transient subscription is over then, a durable one goes on when it is
    /// [resumed](crate::SubscriptionRef::resume).
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and when the closure of a source does.
    pub async fn next(&mut self) -> Result<Option<Delivered<T>>, SubscriptionError> {
        match &mut self.of {
            ConsumerOf::Transient(transient) => transient.next().await,
            ConsumerOf::Durable(member) => member.next().await,
        }
    }

    /// How far it has come: behind the last event that was delivered, and, of a transient subscription, behind what was skipped
    /// since. A transient subscription that begins behind this gets what comes after it, and nothing twice.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        match &self.of {
            ConsumerOf::Transient(transient) => transient.offset(),
            ConsumerOf::Durable(member) => member.offset(),
        }
    }

    /// Whether a transient subscription has delivered or skipped everything that this process knows to be in the journal: events of
    /// another process are known a moment after they are written, and those of a store that is away once it is back. False of a
    /// durable subscription, whose [status](crate::SubscriptionRef::status) has its lag. Reads nothing.
    #[must_use]
    pub fn is_at_head(&self) -> bool {
        match &self.of {
            ConsumerOf::Transient(transient) => transient.is_at_head(),
            ConsumerOf::Durable(_) => false,
        }
    }

    /// Everything that this consumer has in flight up to there was handled, see [`Delivered::offset`]; returns how many events
    /// that were. Of a transient subscription there are none.
    ///
    /// # Errors
    /// [`AckError`] when nothing of that is in flight, or the subscription was lost meanwhile, so that it comes again.
    pub fn ack_up_to(&self, offset: &Offset) -> Result<usize, AckError> {
        match &self.of {
            ConsumerOf::Transient(_) => Ok(0),
            ConsumerOf::Durable(member) => member.ack_up_to(offset),
        }
    }

    /// Ends. What is kept of a durable subscription stays: if this was its last consumer here, it returns when everything that
    /// was acknowledged is saved and another process may go on.
    ///
    /// # Cancel safety
    /// Dropping the future ends the consumer all the same.
    pub async fn unsubscribe(self) {
        match self.of {
            ConsumerOf::Transient(_) => {}
            ConsumerOf::Durable(member) => member.unsubscribe().await,
        }
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").finish_non_exhaustive()
    }
}
