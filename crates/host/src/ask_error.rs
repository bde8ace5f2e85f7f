use crate::Bound;
use actum_model::{CommandId, Revision, SequenceNr};
use actum_persistence::{error_chain::fmt_causes, store::StoreError};
use std::{borrow::Cow, error::Error, fmt};

/// Why an `ask` has no reply: the entity's own rejection `X`, or what went wrong, named by what the caller can do about
/// it.
///
/// [`maybe_applied`](Self::maybe_applied) and [`is_transient`](Self::is_transient) say it for all variants, those of
/// later versions included. `{}` prints the error alone, `{:#}` with everything that caused it, in one line.
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
    /// The entity is not at the revision the caller expects (`Ask::expect_revision`); nothing was done. The same
    /// command with the same expectation is refused again: read the entity, and decide again.
    RevisionMismatch {
        /// What the caller expected.
        expected: Revision,
        /// Where the entity is.
        actual: Revision,
    },
    /// Another writer of the journal was faster; nothing was done. The entity recovers by itself and has then seen what
    /// the other one wrote: try again.
    Conflict {
        /// Where this engine believed the entity to be.
        expected: Revision,
        /// Where the entity is.
        actual: Revision,
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
    /// The command id was used before, for another command or for the same one with other content. Nothing was done; the
    /// same command needs an id of its own.
    CommandIdReused {
        /// The id.
        command_id: CommandId,
        /// The manifest of the command that was sent now.
        command: &'static str,
        /// The manifest of the command that was applied under this id.
        first_command: String,
    },
    /// The command was applied under this id before, but its reply is not stored any more: its event or record was deleted. It was
    /// not applied again.
    ReplyDeleted {
        /// The id.
        command_id: CommandId,
        /// The number of the event, or revision, that the command led to.
        sequence_nr: SequenceNr,
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
    /// What it is called in logs and spans: the name of its variant in `snake_case`.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::Overloaded { .. } => "overloaded",
            Self::Timeout { .. } => "timeout",
            Self::RevisionMismatch { .. } => "revision_mismatch",
            Self::Conflict { .. } => "conflict",
            Self::Unavailable { .. } => "unavailable",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::CommandIdReused { .. } => "command_id_reused",
            Self::ReplyDeleted { .. } => "reply_deleted",
            Self::Corrupt { .. } => "corrupt",
            Self::Invalid { .. } => "invalid",
            Self::Panicked { .. } => "panicked",
        }
    }

    /// The rejection, if it is one.
    pub fn rejection(&self) -> Option<&X> {
        if let Self::Rejected(rejection) = self { Some(rejection) } else { None }
    }

    /// Whether the command may have been applied, or may still be: sent again without its command id it may be applied
    /// twice. Otherwise nothing of this sending was stored, and nothing will be; what an earlier one with the same id has led
    /// to is not said.
    #[must_use]
    pub fn maybe_applied(&self) -> bool {
        matches!(
            self,
            Self::Timeout { maybe_applied: true }
                | Self::OutcomeUnknown { .. }
                | Self::ReplyDeleted { .. }
        )
    }

    /// Whether the same command may succeed later without anything being changed about it: try again, with backoff.
    ///
    /// Where the first one may [have been applied](Self::maybe_applied), only with its command id.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // what the store was opened on is gone: a person must look
            Self::Unavailable { source: Some(error), .. } => {
                !matches!(**error, StoreError::Lost { .. })
            }
            Self::Overloaded { .. }
            | Self::Timeout { .. }
            | Self::Conflict { .. }
            | Self::Unavailable { .. }
            | Self::OutcomeUnknown { .. } => true,
            Self::Rejected(_)
            | Self::RevisionMismatch { .. }
            | Self::CommandIdReused { .. }
            | Self::ReplyDeleted { .. }
            | Self::Corrupt { .. }
            | Self::Invalid { .. }
            | Self::Panicked { .. } => false,
        }
    }

    /// Turns the rejection into another type, for example one that all commands of a service share.
    pub fn map_rejection<Y>(self, map: impl FnOnce(X) -> Y) -> AskError<Y> {
        match self {
            Self::Rejected(rejection) => AskError::Rejected(map(rejection)),
            Self::Overloaded { bound } => AskError::Overloaded { bound },
            Self::Timeout { maybe_applied } => AskError::Timeout { maybe_applied },
            Self::RevisionMismatch { expected, actual } => {
                AskError::RevisionMismatch { expected, actual }
            }
            Self::Conflict { expected, actual } => AskError::Conflict { expected, actual },
            Self::Unavailable { reason, source } => AskError::Unavailable { reason, source },
            Self::OutcomeUnknown { reason, source } => AskError::OutcomeUnknown { reason, source },
            Self::CommandIdReused { command_id, command, first_command } => {
                AskError::CommandIdReused { command_id, command, first_command }
            }
            Self::ReplyDeleted { command_id, sequence_nr } => {
                AskError::ReplyDeleted { command_id, sequence_nr }
            }
            Self::Corrupt { what } => AskError::Corrupt { what },
            Self::Invalid { what } => AskError::Invalid { what },
            Self::Panicked { command, message } => AskError::Panicked { command, message },
        }
    }
}

impl<X> AskError<X> {
    fn fmt_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(_) => f.write_str("the entity rejected the command"),
            Self::Overloaded { bound } => write!(f, "overloaded: {bound}"),
            Self::Timeout { maybe_applied: true } => {
                f.write_str("no answer within the deadline, the command may have been applied")
            }
            Self::Timeout { maybe_applied: false } => {
                f.write_str("no answer within the deadline, the command was not applied")
            }
            Self::RevisionMismatch { expected, actual } => {
                write!(f, "revision mismatch: expected {expected}, the entity is at {actual}")
            }
            Self::Conflict { expected, actual } => write!(
                f,
                "conflict: another writer was faster, it left the entity at revision {actual} instead of {expected}"
            ),
            Self::Unavailable { reason, .. } => write!(f, "unavailable: {reason}"),
            Self::OutcomeUnknown { reason, .. } => write!(f, "the outcome is unknown: {reason}"),
            Self::CommandIdReused { command_id, command, first_command }
                if command == first_command =>
            {
                write!(
                    f,
                    "the command id `{command_id}` was used by a `{command}` with other content"
                )
            }
            Self::CommandIdReused { command_id, command, first_command } => write!(
                f,
                "the command id `{command_id}` of this `{command}` was used by a `{first_command}`"
            ),
            Self::ReplyDeleted { command_id, sequence_nr } => write!(
                f,
                "the command `{command_id}` was applied as {sequence_nr}, its reply is not stored any more"
            ),
            Self::Corrupt { what } => write!(f, "corrupt: {what}"),
            Self::Invalid { what } => write!(f, "invalid: {what}"),
            Self::Panicked { command, message } => {
                write!(f, "the handler of `{command}` panicked: {message}")
            }
        }
    }
}

impl<X: Error + 'static> fmt::Display for AskError<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_message(f)?;
        fmt_causes(self, f)
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
