//! What an [`Observer`](crate::Observer) is given.

use actum_model::SequenceNr;
use std::time::Duration;

/// How a command was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With its reply, or with the reply that was recorded when it was handled first.
    Replied,
    /// The entity refused.
    Rejected,
    /// With a failure of this [label](crate::AskError::label).
    Failed(&'static str),
}

/// One turn of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnSummary {
    /// How many commands it took out of its inboxes.
    pub commands: usize,
    /// From its beginning to the last command it handled; zero if it took none.
    pub took: Duration,
}

/// A recovery of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The event, or revision, it led to.
    pub sequence_nr: SequenceNr,
    /// How many events were replayed; none for a durable state.
    pub events: u64,
    /// From the first read that was asked for to the last one that came.
    pub took: Duration,
}

/// What an entity sends to be written at once: its changes behind `expected`, up to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentWrite {
    pub expected: SequenceNr,
    pub last: SequenceNr,
}

impl Outcome {
    /// What it is called in logs and metrics: `replied`, or the [label](crate::AskError::label) of the error.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Replied => "replied",
            Self::Rejected => "rejected",
            Self::Failed(label) => label,
        }
    }
}
