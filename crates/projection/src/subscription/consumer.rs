use super::{Delivered, SubscriptionError, transient::Transient};
use actum_model::Offset;
use std::fmt;

/// One to whom the events of a subscription are delivered.
pub struct Consumer<T> {
    pub(super) transient: Transient<T>,
}

impl<T: 'static> Consumer<T> {
    /// The next event, once there is one; none when the engine was shut down. What cannot be reached is waited for.
    ///
    /// # Errors
    /// [`SubscriptionError::Undecodable`], and asking again goes on behind that event; [`SubscriptionError::Stopped`] from then on
    /// where the journal has regressed.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and when the closure of a source does.
    pub async fn next(&mut self) -> Result<Option<Delivered<T>>, SubscriptionError> {
        self.transient.next().await
    }

    /// How far it has come: behind the last event that was delivered, and behind what was skipped since. Another subscription
    /// that begins behind this gets what comes after it, and nothing twice.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        self.transient.offset()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").finish_non_exhaustive()
    }
}
