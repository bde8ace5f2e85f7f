use super::JobHeader;
use crate::{AskError, Receipt};
use actum_model::{CodecError, StoredPayload};

/// A command that can leave its engine as bytes and be answered with bytes.
pub trait PortableJob: JobHeader {
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
