use super::{Message, PublishError};
use std::{future::Future, num::NonZeroUsize};

/// Ships events to where others take them: a broker, a queue, a webhook.
///
/// It is given to [`Projection::publisher`](crate::Projection::publisher), which does the rest: it reads the journal, turns
/// each event into a [`Message`], keeps how far it has come, tries again, and does what the projection's policy says about an
/// event that is rejected. A segment has a clone of its own, which publishes one batch after the other; one that has panicked
/// or run out of time is replaced by a fresh clone.
///
/// # Contract
/// * [`publish`](Self::publish) returns success only when each message is where it cannot be lost any more: acknowledged, not
///   sent. Only then progress is saved.
/// * Messages come in the order of the journal, and those of one entity are to arrive in that order. So none may be
///   sent before the one in front of it of the same entity is acknowledged: were that one rejected, this one would have passed
///   it. Messages of different entities may be under way together; [`Waves`](crate::Waves) says which.
/// * A message that comes again, after a crash or an outage, has the same [`unique_id`](Message::unique_id): brokers that
///   drop duplicates get it.
/// * An error says whether a message is to blame: [`PublishError::rejected`] names it and is followed by the policy, and those
///   in front of it are published then. Whatever lies in the broker, such as a connection, a missing queue or no room, is
///   [`PublishError::unavailable`].
/// * A publisher holds no messages beyond a call.
pub trait Publisher: Clone + Send + Sync + 'static {
    /// Checks, or prepares, what messages go to, before the first of them, each time an engine starts. What fails is tried
    /// again, and the projection says what it waits for. Does nothing by default.
    fn set_up(&mut self) -> impl Future<Output = Result<(), PublishError>> + Send {
        async { Ok(()) }
    }

    /// Publishes messages, one at least and at most [`messages_max`](Self::messages_max), and waits until they are
    /// acknowledged.
    ///
    /// The future is dropped when it takes longer than the handler timeout: then the broker counts as unavailable, and fewer
    /// messages are tried at once.
    ///
    /// # Errors
    /// [`PublishError`] as the contract says.
    fn publish(
        &mut self,
        messages: &[Message],
    ) -> impl Future<Output = Result<(), PublishError>> + Send;

    /// How many messages are published at once at most; 100 by default. The projection's batches bound them, too.
    fn messages_max(&self) -> NonZeroUsize {
        NonZeroUsize::new(100).expect("it is not zero")
    }
}
