use std::{num::NonZeroUsize, time::Duration};

/// How messages are published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatsSettings {
    /// How many messages of a segment are under way at most, of different entities; 100 by default.
    pub in_flight_max: NonZeroUsize,
    /// How long an acknowledgement may take; 5 seconds by default. Then NATS counts as unavailable, and the message comes again.
    /// Less than the handler timeout of the projection.
    pub ack_timeout: Duration,
}

impl Default for NatsSettings {
    fn default() -> Self {
        Self {
            in_flight_max: NonZeroUsize::new(100).expect("it is not zero"),
            ack_timeout: Duration::from_secs(5),
        }
    }
}

impl NatsSettings {
    /// Sets [`in_flight_max`](Self::in_flight_max).
    #[must_use]
    pub fn with_in_flight_max(self, in_flight_max: NonZeroUsize) -> Self {
        Self { in_flight_max, ..self }
    }

    /// Sets [`ack_timeout`](Self::ack_timeout).
    #[must_use]
    pub fn with_ack_timeout(self, ack_timeout: Duration) -> Self {
        Self { ack_timeout, ..self }
    }
}
