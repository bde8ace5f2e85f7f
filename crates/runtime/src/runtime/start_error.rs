use actum_persistence::{
    error_chain::fmt_causes,
    store::{ClaimError, StoreError},
};
use std::fmt;

/// Why an engine did not start. What a message leaves out, its [`source`](std::error::Error::source) says; `{:#}` prints
/// both, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Settings or registrations are wrong: all of them are listed.
    Invalid {
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// Another engine that is alive writes to the journal.
    Held(#[source] ClaimError),
    /// The store failed.
    Store(#[from] StoreError),
    /// The actors did not start.
    Partitions {
        /// What they said.
        what: String,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { problems } => {
                f.write_str("the engine cannot start with these settings:")?;
                if f.alternate() {
                    write!(f, " {}", problems.join("; "))
                } else {
                    problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
                }
            }
            Self::Held(_) => f.write_str("another engine writes to this journal"),
            Self::Store(_) => f.write_str("the store does not let the engine start"),
            Self::Partitions { what } => write!(f, "the partitions do not start: {what}"),
        }?;
        fmt_causes(self, f)
    }
}

impl From<ClaimError> for StartError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => Self::Store(error),
            held => Self::Held(held),
        }
    }
}
