use super::JobHeader;
use crate::{AskError, Receipt};
use actum_model::{CodecError, StoredPayload};

/// A command, or a read of the state, that can leave its engine as bytes and be answered with bytes.
pub trait PortableJob: JobHeader {
    /// Whether it only reads the state: then it may be sent again, whatever came of it before.
    fn reads_state(&self) -> bool {
        false
    }

    /// Encodes what is asked for. May panic: that is the user's code.
    ///
    /// # Errors
    /// [`CodecError`] when the command cannot be encoded.
    fn encode(&self) -> Result<EncodedRequest, CodecError>;

    /// Decodes an answer and sends it to the caller.
    fn answer(self: Box<Self>, answer: EncodedAnswer);
}

/// What is asked of an entity that is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodedRequest {
    /// That it handles this command.
    Command(StoredPayload),
    /// Its state.
    State,
}

/// The answer to a command: its reply and where it left the entity, or the rejection or what went wrong. To a
/// read of the state, the reply is the state.
pub type EncodedAnswer = Result<(StoredPayload, Receipt), AskError<StoredPayload>>;
