use crate::AskError;
use actum_model::Revision;
pub(crate) use actum_persistence::error_chain::full_text;
use actum_persistence::{group_commit::CommitError, store::StoreError};
use std::{borrow::Cow, convert::Infallible};

const NOT_OWNED: &str = "the partition of the entity does not belong to this node any more";

/// Everything that can go wrong with a command besides the entity's own rejection.
pub type Failure = AskError<Infallible>;

impl<X> AskError<X> {
    /// A [`AskError::Unavailable`] for a reason of the runtime's own.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable { reason: reason.into(), source: None }
    }

    /// A [`AskError::OutcomeUnknown`] for a reason of the runtime's own.
    pub fn outcome_unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::OutcomeUnknown { reason: reason.into(), source: None }
    }

    /// A [`AskError::Corrupt`].
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// A [`AskError::Invalid`].
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// What a failed read or write of the store means to a caller whose change it carried.
    #[must_use]
    pub fn of_store(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown { .. } => Self::OutcomeUnknown {
                reason: Cow::Borrowed("the store did not confirm the write"),
                source: Some(Box::new(error)),
            },
            StoreError::Corrupt { what } => Self::Corrupt { what },
            StoreError::Invalid { what } => Self::Invalid { what },
            other => Self::Unavailable {
                reason: Cow::Borrowed("the store failed"),
                source: Some(Box::new(other)),
            },
        }
    }
}

impl Failure {
    /// What a failed append means to the commands in it, of an entity that was at `expected`.
    pub fn of_commit(error: CommitError, expected: Revision) -> Self {
        match error {
            CommitError::Conflict { actual } => Self::Conflict { expected, actual: actual.into() },
            // nothing was written, and the owner of the moment takes the command again
            CommitError::NotOwned => Self::unavailable(NOT_OWNED),
            CommitError::Store(error) => Self::of_store(error),
        }
    }

    /// What a failed read of the store means: it has done no harm, and asking again is safe, whatever the store says.
    pub fn of_read(error: StoreError) -> Self {
        match Self::of_store(error) {
            Self::OutcomeUnknown { reason, source } => Self::Unavailable { reason, source },
            failure => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_to_a_partition_that_was_given_away_may_be_tried_again() {
        let failure = Failure::of_commit(CommitError::NotOwned, Revision::new(3));
        assert!(failure.is_transient() && !failure.maybe_applied(), "{failure}");
        let text = "unavailable: the partition of the entity does not belong to this node any more";
        assert_eq!(failure.to_string(), text);
    }
}
