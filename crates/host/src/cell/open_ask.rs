use super::GivenUp;
use crate::{Failure, Moment};

/// A caller's wait for an answer, which can be ended from outside of the entity and of its partition: when both are stuck.
///
/// Whoever answers first decides; what comes later is dropped. So a command whose wait was ended before it was begun must
/// not be begun.
pub trait OpenAsk: Send + Sync {
    /// When the caller stops waiting.
    fn deadline(&self) -> Moment;

    /// How far it is.
    fn stage(&self) -> AskStage;

    /// Ends the wait, unless it has ended; says whether this did. Wakes the caller, which is foreign code.
    fn end(&self, why: EarlyEnd<'_>) -> bool;
}

/// How far an ask is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskStage {
    /// Its command was not begun.
    Waiting,
    /// Its command was begun, and may have effect.
    Begun,
    /// It was ended from outside; the command itself is still held.
    Ended,
    /// The command was answered.
    Settled,
}

/// Why a wait is ended from outside.
#[derive(Clone, Copy, Debug)]
pub enum EarlyEnd<'a> {
    /// Its deadline has passed.
    Late,
    /// The engine serves nothing any more.
    Abandoned(&'a GivenUp),
}

impl EarlyEnd<'_> {
    /// What the caller gets, depending on whether the command was begun.
    pub fn failure(self, begun: bool) -> Failure {
        match self {
            Self::Late => Failure::Timeout { maybe_applied: begun },
            Self::Abandoned(why) => why.failure(begun),
        }
    }
}
