use crate::clock::Clock;
use actum_host::{
    AskError, Failure, Load,
    cell::{EncodedAnswer, EncodedRequest, PortableJob},
};
use actum_model::{EntityKey, Metadata, Partition, Revision};
use actum_persistence::panics::guard;
use std::{fmt, sync::Arc, time::Duration};

/// Takes the commands whose partition is not open in this engine, to where it is. Without one they end in
/// [`AskError::Unavailable`].
///
/// # Contract
/// * [`deliver`](Self::deliver) returns at once: it runs on the caller's side of an ask.
/// * Every command is answered, or dropped, soon after its [time is over](RoutedCommand::time_left) at the latest. Its caller
///   does not wait longer in any case, but it counts against the engine's bound on commands until then.
/// * A command may be sent again by itself only if it has a command id, if it surely was not applied, or if it only
///   [reads the state](RoutedCommand::reads_state).
pub trait Elsewhere: Send + Sync + 'static {
    /// Takes a command.
    fn deliver(&self, command: RoutedCommand);
}

/// A command, or a read of the state, on its way to where its partition is open. Dropped without an answer it fails: as
/// unavailable, or, a command that was encoded and so may have been sent, with an unknown outcome.
#[must_use = "its caller waits for an answer"]
pub struct RoutedCommand {
    partition: Partition,
    key: EntityKey,
    /// Until it is answered.
    job: Option<Box<dyn PortableJob>>,
    maybe_applied: bool,
    clock: Clock,
    load: Arc<Load>,
    /// Ends when the command does.
    _wait: super::Outstanding,
}

impl RoutedCommand {
    pub(super) fn new(
        partition: Partition,
        key: EntityKey,
        job: Box<dyn PortableJob>,
        clock: Clock,
        load: Arc<Load>,
        wait: super::Outstanding,
    ) -> Self {
        Self { partition, key, job: Some(job), maybe_applied: false, clock, load, _wait: wait }
    }

    /// The partition the command is for.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The entity the command is for.
    #[must_use]
    pub fn key(&self) -> &EntityKey {
        &self.key
    }

    /// The manifest of the command; `state` for a read of the state.
    #[must_use]
    pub fn manifest(&self) -> &'static str {
        self.job().command()
    }

    /// What is stored with the events of the command, its [command id](Metadata::command_id) included.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.job().envelope().metadata
    }

    /// The revision the entity must be at, if the caller minds.
    #[must_use]
    pub fn expected_revision(&self) -> Option<Revision> {
        self.job().envelope().expected_revision
    }

    /// Whether it only reads the state: it changes nothing however often it is sent.
    #[must_use]
    pub fn reads_state(&self) -> bool {
        self.job().reads_state()
    }

    /// How much longer the caller waits; the same for a command for which no caller waits.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.job().envelope().deadline.since(self.clock.now())
    }

    /// Whether a caller waits for the answer. That of a command sent by `tell` is logged when it is a failure.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.job().open_ask().is_some()
    }

    /// What is sent: the command, encoded by its codec, or that the state is asked for. From now on a command may have been
    /// applied.
    ///
    /// # Errors
    /// What to [answer](Self::fail) where it cannot be encoded, or its caller has stopped waiting.
    pub fn encode(&mut self) -> Result<EncodedRequest, Failure> {
        let job = self.job.as_mut().expect("an answer takes the command");
        if !job.begin() {
            return Err(Failure::Timeout { maybe_applied: false });
        }
        let command = job.command();
        match guard(|| job.encode()) {
            Ok(Ok(request)) => {
                self.maybe_applied = matches!(request, EncodedRequest::Command(_));
                Ok(request)
            }
            Ok(Err(error)) => {
                Err(AskError::invalid(format!("`{command}` cannot be encoded: {error}")))
            }
            Err(message) => Err(AskError::Panicked { command, message }),
        }
    }

    /// Answers the caller, who gets the reply or the rejection decoded.
    pub fn answer(mut self, answer: EncodedAnswer) {
        if let Some(job) = self.job.take() {
            job.answer(answer);
        }
    }

    /// Answers the caller with a failure.
    pub fn fail(self, failure: Failure) {
        self.answer(Err(failure.map_rejection(|never| match never {})));
    }

    fn job(&self) -> &dyn PortableJob {
        &**self.job.as_ref().expect("an answer takes the command")
    }
}

impl Drop for RoutedCommand {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            let reason = "the command was dropped on its way to the entity's partition";
            job.answer(Err(if self.maybe_applied {
                AskError::outcome_unknown(reason)
            } else {
                AskError::unavailable(reason)
            }));
        }
        self.load.answered(1);
    }
}

impl fmt::Debug for RoutedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedCommand")
            .field("partition", &self.partition)
            .field("entity", &self.key)
            .finish_non_exhaustive()
    }
}
