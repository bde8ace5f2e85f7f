use crate::Bound;
use actum_persistence::store::StoreError;
use std::{borrow::Cow, convert::Infallible, error::Error, fmt};

/// Why an [`ask`](crate::EntityRef::ask) has no reply: the entity's own rejection `X`, or what went wrong, told by what
/// the caller can do about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AskError<X> {
    /// The entity refused. Nothing was stored; the same command on the same state is refused again.
    Rejected(X),
    /// A bound is reached; nothing was done. Try again later, with backoff.
    Overloaded {
        /// Which bound.
        bound: Bound,
    },
    /// The deadline has passed.
    Timeout {
        /// Whether the command may have been applied, or may still be: send it again only with its command id.
        maybe_applied: bool,
    },
    /// The entity is at another revision than expected, or another writer was faster; nothing was done.
    Conflict {
        /// What the caller, or the runtime, expected.
        expected: u64,
        /// Where the entity is.
        actual: u64,
    },
    /// The entity cannot be served at the moment; nothing was done, and trying again is safe.
    Unavailable {
        /// Why.
        reason: Cow<'static, str>,
        /// The store's error, where it was the store.
        source: Option<Box<StoreError>>,
    },
    /// The change may have been stored or not. Send the command again with its command id, or look.
    OutcomeUnknown {
        /// What happened.
        reason: Cow<'static, str>,
        /// The store's error, where it was the store.
        source: Option<Box<StoreError>>,
    },
    /// What is stored of the entity cannot be read. A person must look.
    Corrupt {
        /// What was found, and where.
        what: String,
    },
    /// The request itself cannot be served; the same request fails again.
    Invalid {
        /// What is wrong with it.
        what: String,
    },
    /// The entity's code panicked while it handled the command; nothing of it was stored.
    Panicked {
        /// The manifest of the command.
        command: &'static str,
        /// What the panic said.
        message: String,
    },
}

impl<X> AskError<X> {
    /// The rejection, if it is one.
    pub fn rejection(&self) -> Option<&X> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }

    /// Turns the rejection into another type, for example one that all commands of a service share.
    pub fn map_rejection<Y>(self, map: impl FnOnce(X) -> Y) -> AskError<Y> {
        match self {
            Self::Rejected(rejection) => AskError::Rejected(map(rejection)),
            Self::Overloaded { bound } => AskError::Overloaded { bound },
            Self::Timeout { maybe_applied } => AskError::Timeout { maybe_applied },
            Self::Conflict { expected, actual } => AskError::Conflict { expected, actual },
            Self::Unavailable { reason, source } => AskError::Unavailable { reason, source },
            Self::OutcomeUnknown { reason, source } => AskError::OutcomeUnknown { reason, source },
            Self::Corrupt { what } => AskError::Corrupt { what },
            Self::Invalid { what } => AskError::Invalid { what },
            Self::Panicked { command, message } => AskError::Panicked { command, message },
        }
    }
}

impl<X> fmt::Display for AskError<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(_) => f.write_str("the entity rejected the command"),
            Self::Overloaded { bound } => write!(f, "overloaded: {bound}"),
            Self::Timeout { maybe_applied: true } => {
                f.write_str("no answer within the deadline, the command may have been applied")
            }
            Self::Timeout { maybe_applied: false } => {
                f.write_str("no answer within the deadline, the command was not applied")
            }
            Self::Conflict { expected, actual } => {
                write!(f, "conflict: expected revision {expected}, the entity is at {actual}")
            }
            Self::Unavailable { reason, .. } => write!(f, "unavailable: {reason}"),
            Self::OutcomeUnknown { reason, .. } => write!(f, "the outcome is unknown: {reason}"),
            Self::Corrupt { what } => write!(f, "corrupt: {what}"),
            Self::Invalid { what } => write!(f, "invalid: {what}"),
            Self::Panicked { command, message } => {
                write!(f, "the handler of `{command}` panicked: {message}")
            }
        }
    }
}

impl<X: Error + 'static> Error for AskError<X> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Unavailable { source, .. } | Self::OutcomeUnknown { source, .. } => {
                source.as_deref().map(|source| source as _)
            }
            _ => None,
        }
    }
}

/// Why a [`tell`](crate::EntityRef::tell) was not taken.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the command was not taken")]
pub struct TellError(#[from] pub AskError<Infallible>);
