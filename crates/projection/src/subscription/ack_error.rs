use actum_reader::subscription::NotAcked;
use std::sync::Arc;

/// Why an event cannot be acknowledged, or given back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AckError {
    /// The consumer does not have it in flight: it was acknowledged or given back before, or the consumer has gone.
    #[error("the event is not in flight with a consumer of the subscription `{name}`")]
    NotInFlight {
        /// The name of the subscription.
        name: Arc<str>,
    },
    /// The consumer had it in flight for longer than the [time-out](crate::SubscriptionSettings::ack_timeout): another one gets it,
    /// or has got it.
    #[error(
        "the event was in flight for longer than the subscription `{name}` waits for an acknowledgement, so it is delivered again"
    )]
    TimedOut {
        /// The name of the subscription.
        name: Arc<str>,
    },
    /// This process does not hold the subscription any more, or has not since it was delivered: the event comes again.
    #[error(
        "this process has lost the subscription `{name}` since the event was delivered, so it comes again"
    )]
    Lost {
        /// The name of the subscription.
        name: Arc<str>,
    },
    /// The subscription is a transient one, whose events are not given back.
    #[error("an event of a transient subscription cannot be given back")]
    Transient,
}

impl AckError {
    pub(super) fn new(error: NotAcked, name: &Arc<str>) -> Self {
        let name = Arc::clone(name);
        match error {
            NotAcked::NotInFlight => Self::NotInFlight { name },
            NotAcked::TimedOut => Self::TimedOut { name },
            NotAcked::Lost => Self::Lost { name },
        }
    }
}
