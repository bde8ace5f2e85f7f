use super::{Envelope, OpenAsk};
use crate::{AskError, Receipt};
use actum_model::{CodecError, StoredPayload};
use std::sync::Arc;

/// A command that can leave its engine as bytes and be answered with bytes.
pub trait PortableJob: Send {
    /// What comes with the command.
    fn envelope(&self) -> &Envelope;

    /// The manifest of the command.
    fn command(&self) -> &'static str;

    /// The caller's wait; `None` when no caller waits.
    fn open_ask(&self) -> Option<Arc<dyn OpenAsk>>;

    /// Marks the command as begun. It must not be sent when this says no: its caller was answered that it was not.
    fn begin(&mut self) -> bool;

    /// Encodes the command. May panic: that is the user's code.
    ///
    /// # Errors
    /// [`CodecError`] when the command cannot be encoded.
    fn encode(&self) -> Result<StoredPayload, CodecError>;

    /// Decodes an answer and sends it to the caller.
    fn answer(self: Box<Self>, answer: EncodedAnswer);
}

/// The answer to a command: its reply and where it left the entity, or the rejection or what went wrong.
pub type EncodedAnswer = Result<(StoredPayload, Receipt), AskError<StoredPayload>>;
