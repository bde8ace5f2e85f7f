use crate::wire::SentCommand;
use actum_persistence::store::Incarnation;
use actum_proto::wire::v1::CommandEnvelope;
use actum_runtime::{AskError, EncodedAnswer, Failure, RoutedCommand};
use std::time::Duration;
use tokio::time::Instant;

/// How soon a node that was not the owner is asked again while the table says that it is.
const REFUSED_FOR: Duration = Duration::from_millis(100);

/// A command that this node has taken to bring it to where its entity is.
#[derive(Debug)]
pub(super) struct RoutedCall {
    pub(super) nr: u64,
    pub(super) command: RoutedCommand,
    /// What is sent, once it was encoded.
    encoded: Option<SentCommand>,
    /// Whether it was sent to a node that has not said that it did nothing: it may have been applied.
    pub(super) maybe_applied: bool,
    /// Who did not own its partition when it was sent there, and when that was known.
    pub(super) refused: Option<(Incarnation, Instant)>,
}

impl RoutedCall {
    pub(super) fn new(nr: u64, command: RoutedCommand) -> Self {
        Self { nr, command, encoded: None, maybe_applied: false, refused: None }
    }

    /// What is sent, with the time that is left; encodes the command the first time.
    ///
    /// # Errors
    /// What to answer where it cannot be sent.
    pub(super) fn envelope(&mut self) -> Result<CommandEnvelope, Failure> {
        let encoded = match self.encoded.take() {
            Some(encoded) => encoded,
            None => {
                let request = self.command.encode()?;
                let command = &self.command;
                let (metadata, expected) = (command.metadata(), command.expected_revision());
                SentCommand::new(self.nr, command.key(), request, metadata, expected)?
            }
        };
        Ok(self.encoded.insert(encoded).envelope(self.command.time_left()))
    }

    /// Whether this node was not the owner a moment ago: the table changes before it is asked again, or a while passes.
    pub(super) fn was_refused_by(&self, owner: Incarnation) -> bool {
        self.refused.is_some_and(|(by, at)| by == owner && at.elapsed() < REFUSED_FOR)
    }

    /// Whether its caller has stopped waiting.
    pub(super) fn is_late(&self) -> bool {
        self.command.time_left().is_zero()
    }

    /// It was sent, and it is not known what came of it.
    pub(super) fn lose_track(&mut self) {
        self.maybe_applied = !self.command.reads_state();
    }

    /// Whether it may be sent again though it may have been applied.
    pub(super) fn may_be_repeated(&self) -> bool {
        self.command.reads_state() || self.command.metadata().command_id().is_some()
    }

    pub(super) fn answer(self, answer: EncodedAnswer) {
        self.command.answer(answer);
    }

    pub(super) fn fail(self, failure: Failure) {
        self.command.fail(failure);
    }

    /// Ends it because its time is over.
    pub(super) fn time_out(self) {
        let maybe_applied = self.maybe_applied;
        self.fail(AskError::Timeout { maybe_applied });
    }

    /// Ends it because this node cannot bring it anywhere any more.
    pub(super) fn give_up(self, why: &'static str) {
        let failure = if self.maybe_applied {
            AskError::outcome_unknown(why)
        } else {
            AskError::unavailable(why)
        };
        self.fail(failure);
    }
}
