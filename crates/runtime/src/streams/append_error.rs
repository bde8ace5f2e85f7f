use actum_host::{Bound, Failure};
use actum_model::SequenceNr;
use actum_persistence::{error_chain::fmt_causes, store::StoreError};
use std::{borrow::Cow, error::Error, fmt};

/// Why events were not appended to a stream, named by what the caller can do about it.
///
/// [`maybe_appended`](Self::maybe_appended) and [`is_transient`](Self::is_transient) say it for all variants, those of
/// later versions included. `{}` prints the error alone, `{:#}` with everything that caused it, in one line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppendError {
    /// The stream is not where the caller expects it; nothing was appended. Read what is new, and decide again.
    Conflict {
        /// The number of its last event that was expected.
        expected: SequenceNr,
        /// The number of its last event.
        actual: SequenceNr,
    },
    /// A bound is reached; nothing was appended. Try again later, with backoff.
    Overloaded {
        /// Which bound.
        bound: Bound,
    },
    /// The deadline has passed.
    Timeout {
        /// Whether the events may have been appended, or may still be: read the stream.
        maybe_appended: bool,
    },
    /// Nothing can be appended at the moment; nothing was, and trying again is safe.
    Unavailable {
        /// Why.
        reason: Cow<'static, str>,
        /// The store's error, where it was the store.
        source: Option<Box<StoreError>>,
    },
    /// The events may have been appended or not: read the stream.
    OutcomeUnknown {
        /// What happened.
        reason: Cow<'static, str>,
        /// The store's error, where it was the store.
        source: Option<Box<StoreError>>,
    },
    /// What is stored cannot be right. A person must look.
    Corrupt {
        /// What was found, and where.
        what: String,
    },
    /// The request itself cannot be served; the same request fails again.
    Invalid {
        /// What is wrong with it.
        what: String,
    },
}

impl AppendError {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// Whether the events may have been appended, or may still be: appended again they may be there twice.
    #[must_use]
    pub fn maybe_appended(&self) -> bool {
        matches!(self, Self::Timeout { maybe_appended: true } | Self::OutcomeUnknown { .. })
    }

    /// Whether the same append may succeed later without anything being changed about it: try again, with backoff.
    ///
    /// Where the first one may [have been appended](Self::maybe_appended), only if it expects the same number: then it ends
    /// in a conflict with itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // what the store was opened on is gone: a person must look
            Self::Unavailable { source: Some(error), .. } => {
                !matches!(**error, StoreError::Lost { .. })
            }
            Self::Overloaded { .. }
            | Self::Timeout { .. }
            | Self::Unavailable { .. }
            | Self::OutcomeUnknown { .. } => true,
            Self::Conflict { .. } | Self::Corrupt { .. } | Self::Invalid { .. } => false,
        }
    }
}

/// What went wrong in the engine.
impl From<Failure> for AppendError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Overloaded { bound } => Self::Overloaded { bound },
            Failure::Timeout { maybe_applied } => Self::Timeout { maybe_appended: maybe_applied },
            Failure::Unavailable { reason, source } => Self::Unavailable { reason, source },
            Failure::OutcomeUnknown { reason, source } => Self::OutcomeUnknown { reason, source },
            Failure::Corrupt { what } => Self::Corrupt { what },
            other => Self::invalid(other.to_string()),
        }
    }
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> Self {
        Failure::of_store(error).into()
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { expected, actual } => {
                write!(f, "conflict: expected the stream at {expected}, it is at {actual}")
            }
            Self::Overloaded { bound } => write!(f, "overloaded: {bound}"),
            Self::Timeout { maybe_appended: true } => {
                f.write_str("no answer within the deadline, the events may have been appended")
            }
            Self::Timeout { maybe_appended: false } => {
                f.write_str("no answer within the deadline, the events were not appended")
            }
            Self::Unavailable { reason, .. } => write!(f, "unavailable: {reason}"),
            Self::OutcomeUnknown { reason, .. } => write!(f, "the outcome is unknown: {reason}"),
            Self::Corrupt { what } => write!(f, "corrupt: {what}"),
            Self::Invalid { what } => write!(f, "invalid: {what}"),
        }?;
        fmt_causes(self, f)
    }
}

impl Error for AppendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unavailable { source, .. } | Self::OutcomeUnknown { source, .. } => {
                source.as_deref().map(|source| source as _)
            }
            _ => None,
        }
    }
}
