use super::{AfterCommit, Content, JobHeader, PortableJob};
use crate::{Failure, Outcome, Receipt};
use actum_model::{Change, CodecError, DecodeError, Entity, SequenceNr, StoredPayload};
use actum_persistence::serializer::{EncodeError, Serializer};

/// One command on its way in and its reply on its way out, in one box that is typed at both ends.
///
/// A cell calls `handle`, then `conclude` once the change is in its state, since later commands may change that state
/// before the commit. The prepared answer waits in the job until `settle` says that everything it depends on is durable.
pub trait Job<E: Entity>: JobHeader {
    /// What stands for the content of the command. Its encoding is the user's code, and may panic.
    ///
    /// # Errors
    /// [`CodecError`] when the command cannot be encoded.
    fn content(&self) -> Result<Content, CodecError>;

    /// Decides what the command does to `state`. May panic: that is the user's code.
    fn handle(&mut self, state: &E, id: &E::Id, env: &E::Env, at: SequenceNr) -> Decision<E>;

    /// Computes the reply from the state after the change. May panic: that is the user's code.
    fn conclude(&mut self, state: &E);

    /// Prepares a failure as the answer.
    fn refuse(&mut self, failure: Failure);

    /// Encodes the prepared reply, to be remembered with the command's id.
    ///
    /// # Errors
    /// [`EncodeError`] when the reply cannot be encoded.
    fn recorded_reply(&self, serializer: &Serializer) -> Result<StoredPayload, EncodeError>;

    /// Prepares the reply that was recorded when the command was handled first.
    ///
    /// # Errors
    /// [`DecodeError`] when the reply cannot be read back.
    fn replay(
        &mut self,
        serializer: &Serializer,
        recorded: &StoredPayload,
    ) -> Result<(), DecodeError>;

    /// What the prepared answer is, for an observer.
    fn outcome(&self) -> Outcome;

    /// Makes of it what can leave the engine; none, and the job is dropped, where it cannot.
    fn into_portable(self: Box<Self>) -> Option<Box<dyn PortableJob>> {
        None
    }

    /// Lets the job be dropped without an answer, because its caller was answered in another way.
    fn forget(&mut self);

    /// Sends the prepared answer, or the failure, to the caller.
    fn settle(self: Box<Self>, verdict: Verdict);
}

/// Whether a prepared answer may be sent.
pub type Verdict = Result<Receipt, Failure>;

/// What a handler decided, without its reply.
pub enum Decision<E: Entity> {
    /// The change, and what follows it.
    Accepted {
        /// What changes.
        change: Change<E>,
        /// What runs in this process once the change is durable.
        after_commit: Option<AfterCommit>,
        /// Whether the entity leaves memory then.
        passivate: bool,
    },
    /// The entity refuses; the job keeps the rejection.
    Rejected,
}
