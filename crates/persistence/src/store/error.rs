use super::Incarnation;
use crate::error_chain::fmt_causes;
use std::{error::Error, fmt, sync::Arc};

/// What went wrong in a store, classified by what a caller can do about it. Cheap to clone: one failure fails many
/// commands.
///
/// `{}` prints the error alone, `{:#}` with everything that caused it, in one line.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The writer was revoked: another one has taken its place. Nothing was written, and nothing will be.
    Fenced {
        /// The incarnation that tried to write.
        incarnation: Incarnation,
    },
    /// The store cannot be reached or refuses at the moment. Nothing was written; trying again later is safe.
    Unavailable {
        /// What was being done.
        doing: String,
        /// The store's own error.
        source: Cause,
    },
    /// The connection broke after the write was sent: it may have been committed or not.
    OutcomeUnknown {
        /// What was being done.
        doing: String,
        /// The store's own error.
        source: Cause,
    },
    /// What the store was opened on is no longer there: its files were removed or replaced, for example. Nothing was
    /// written, and nothing will be until the store is opened again. A person must look.
    Lost {
        /// What has happened.
        what: Arc<str>,
    },
    /// What is stored cannot be right. A person must look.
    Corrupt {
        /// What was found, and where.
        what: String,
    },
    /// The request breaks the store's contract or a limit. Nothing was written; the same request fails again.
    Invalid {
        /// What is wrong with it.
        what: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced { incarnation } => write!(
                f,
                "writer incarnation {incarnation} was revoked, another writer has taken over"
            ),
            Self::Unavailable { doing, .. } => write!(f, "the store is unavailable: {doing}"),
            Self::OutcomeUnknown { doing, .. } => {
                write!(f, "it is unknown whether the store has committed: {doing}")
            }
            Self::Lost { what } => write!(f, "the store is lost: {what}"),
            Self::Corrupt { what } => write!(f, "the store holds corrupt data: {what}"),
            Self::Invalid { what } => write!(f, "the store refuses the request: {what}"),
        }?;
        fmt_causes(self, f)
    }
}

impl StoreError {
    /// An [`StoreError::Unavailable`] while `doing` something.
    pub fn unavailable(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { doing: doing.into(), source: Cause::new(source) }
    }

    /// An [`StoreError::OutcomeUnknown`] while `doing` something.
    pub fn outcome_unknown(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::OutcomeUnknown { doing: doing.into(), source: Cause::new(source) }
    }

    /// A [`StoreError::Lost`] that says `what` has happened.
    pub fn lost(what: impl Into<Arc<str>>) -> Self {
        Self::Lost { what: what.into() }
    }

    /// A [`StoreError::Corrupt`] that says `what`.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    /// A [`StoreError::Invalid`] that says `what`.
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }

    /// Whether no write will succeed any more: the writer was revoked, or the store is lost.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Fenced { .. } | Self::Lost { .. })
    }

    /// Whether the write may have happened.
    #[must_use]
    pub fn maybe_written(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }
}

/// The error of the product below a store, shared by everybody whom it failed.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Shares `source`.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
