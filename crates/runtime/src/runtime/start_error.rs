use actum_persistence::store::{ClaimError, StoreError};
use std::fmt;

/// Why an engine did not start. What a message leaves out, its [`source`](std::error::Error::source) says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Settings or registrations are wrong: all of them are listed.
    #[error("the engine cannot start with these settings:{}", list(.problems))]
    Invalid {
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// Another engine that is alive writes to the journal.
    #[error("another engine writes to this journal")]
    Held(#[source] ClaimError),
    /// The store failed.
    #[error("the store does not let the engine start")]
    Store(#[from] StoreError),
    /// The actors did not start.
    #[error("the partitions do not start: {what}")]
    Partitions {
        /// What they said.
        what: String,
    },
}

fn list(problems: &[String]) -> impl fmt::Display {
    problems.iter().map(|problem| format!("\n  - {problem}")).collect::<String>()
}

impl From<ClaimError> for StartError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => Self::Store(error),
            held => Self::Held(held),
        }
    }
}
