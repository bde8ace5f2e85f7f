use crate::{journal::ReadError, service::ProjectionError};
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
    /// Nothing is kept of it: no one has subscribed yet, or it was deleted.
    #[error("nothing is kept of the subscription `{name}`")]
    NotKept {
        /// Its name.
        name: String,
    },
    /// Others changed it at the same time, again and again.
    #[error("the subscription `{name}` was changed by others at the same time, ask again")]
    Changing {
        /// Its name.
        name: String,
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubscriptionError {
    /// What an error of the projection says that a subscription is kept as.
    pub(super) fn of_kept(error: ProjectionError, name: &str) -> Self {
        let name = name.to_owned();
        match error {
            ProjectionError::Store(error) => Self::Store(error),
            ProjectionError::Invalid { what } => Self::Invalid { problems: vec![what] },
            ProjectionError::Failed { why, .. } => Self::Store(StoreError::invalid(&*why)),
            ProjectionError::Changing { .. } => Self::Changing { name },
            ProjectionError::Unknown { .. }
            | ProjectionError::NotStarted { .. }
            // it has one version, which is never forgotten this way
            | ProjectionError::IsActive { .. }
            | ProjectionError::IsRun { .. }
            | ProjectionError::NotDivided { .. }
            | ProjectionError::NotCaughtUp { .. }
            | ProjectionError::Ended { .. } => Self::NotKept { name },
        }
    }
}
