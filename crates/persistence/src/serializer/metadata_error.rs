use actum_model::{CodecError, InvalidCommandId, InvalidTraceContext};

/// Why stored metadata, or stored recent commands, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The bytes are no protobuf of the schema.
    #[error("the stored {message} is damaged")]
    Damaged {
        /// The name of the message in the schema.
        message: &'static str,
        /// What the decoder said.
        source: CodecError,
    },
    /// A command id is not valid.
    #[error("the stored {message} has an invalid command id")]
    CommandId {
        /// The name of the message in the schema.
        message: &'static str,
        /// What is wrong with it.
        source: InvalidCommandId,
    },
    /// A trace context is not valid.
    #[error("the stored {message} has an invalid trace context")]
    TraceContext {
        /// The name of the message in the schema.
        message: &'static str,
        /// What is wrong with it.
        source: InvalidTraceContext,
    },
    /// A field without which the message means nothing is missing.
    #[error("the stored {message} lacks its {field}")]
    Missing {
        /// The name of the message in the schema.
        message: &'static str,
        /// The name of the field.
        field: &'static str,
    },
}
