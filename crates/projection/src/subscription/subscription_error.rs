use crate::journal::ReadError;
use actum_persistence::store::StoreError;
use std::sync::Arc;

/// Why a subscription has not begun, or does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// It cannot be what it is defined as.
    #[error("the subscription is not valid: {}", .problems.join("; "))]
    Invalid {
        /// Everything that is wrong with it.
        problems: Vec<String>,
    },
    /// The engine was shut down.
    #[error("the engine was shut down")]
    Ended,
    /// An engine has no more consumers of one subscription than are set.
    #[error("the subscription `{name}` has {max} consumers, and may have no more")]
    TooManyConsumers {
        /// Its name.
        name: String,
        /// How many it may have.
        max: usize,
    },
    /// It differs from what is kept of it.
    #[error("{what}")]
    Differs {
        /// In what, and what can be done about it.
        what: String,
    },
    /// It cannot go on: the journal has regressed, or is another one; or an event needs a person, as it is set.
    #[error("the subscription has stopped: {why}")]
    Stopped {
        /// What was found.
        why: Arc<str>,
    },
    /// An event is not of the type it is read as, or damaged. Asking again goes on behind it.
    #[error(transparent)]
    Undecodable(ReadError),
    /// The store failed before the subscription had begun.
    #[error(transparent)]
    Store(#[from] StoreError),
}
