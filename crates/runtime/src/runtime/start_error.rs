use crate::state_model::ModelConflict;
use actum_persistence::{
    error_chain::fmt_causes,
    members::JoinError,
    store::{ClaimError, StoreError},
};
use std::{fmt, io};

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
    /// The cluster did not take the node as a member.
    NotJoined(#[source] JoinError),
    /// The node cannot take connections of the other nodes of its cluster.
    Listening {
        /// Where it was to listen.
        address: String,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// The store failed.
    Store(#[from] StoreError),
    /// Entities of these kinds are stored in the other model than they are registered with: event-sourced, or as durable
    /// states. They would start empty. A store looks at the first
    /// [`KIND_SAMPLE`](actum_persistence::store::KIND_SAMPLE) entities of a kind.
    OtherModel {
        /// The kinds, with both models each.
        conflicts: Vec<ModelConflict>,
    },
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
                fmt_list(problems, f)
            }
            Self::OtherModel { conflicts } => {
                f.write_str("the engine cannot start with these kinds of entities:")?;
                fmt_list(conflicts, f)
            }
            Self::Held(_) => f.write_str("another engine writes to this journal"),
            Self::NotJoined(_) => f.write_str("the node cannot join the cluster"),
            Self::Listening { address, .. } => write!(f, "the node cannot listen on {address}"),
            Self::Store(_) => f.write_str("the store failed while the engine started"),
            Self::Partitions { what } => write!(f, "the partitions do not start: {what}"),
        }?;
        fmt_causes(self, f)
    }
}

/// A line each, or all in one line in the alternate form.
fn fmt_list(problems: &[impl fmt::Display], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, problem) in problems.iter().enumerate() {
        match (f.alternate(), at) {
            (false, _) => write!(f, "\n  - {problem}")?,
            (true, 0) => write!(f, " {problem}")?,
            (true, _) => write!(f, "; {problem}")?,
        }
    }
    Ok(())
}

impl From<ClaimError> for StartError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => Self::Store(error),
            held => Self::Held(held),
        }
    }
}
