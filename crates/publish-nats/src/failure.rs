use async_nats::jetstream::{
    self, ErrorCode,
    context::{GetStreamError, GetStreamErrorKind, PublishError, PublishErrorKind},
};
use std::error::Error;

/// Why a message was not taken.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The message is to blame.
    Rejected(String),
    /// It is not.
    Unavailable(String),
}

impl Failure {
    /// What the error says of a message to `subject`, for this stream.
    pub(crate) fn of_publish(error: &PublishError, subject: &str, stream: &str) -> Self {
        let of_server = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
        let code = of_server.map(jetstream::Error::error_code);
        let with_cause = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        match (error.kind(), code) {
            (PublishErrorKind::MaxPayloadExceeded, _)
            | (
                _,
                Some(
                    ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM
                    | ErrorCode::STREAM_HEADER_EXCEEDS_MAXIMUM,
                ),
            ) => Self::Rejected(format!("the message is too large: {with_cause}")),
            (PublishErrorKind::StreamNotFound, _) => Self::Unavailable(format!(
                "no stream takes the subject `{subject}`: the stream `{stream}` does not exist or has other subjects"
            )),
            (_, Some(ErrorCode::STREAM_NOT_MATCH)) => Self::Unavailable(format!(
                "another stream than `{stream}` takes the subject `{subject}`"
            )),
            (_, Some(ErrorCode::STREAM_STORE_FAILED)) => {
                Self::Unavailable(format!("the stream `{stream}` does not take more: {with_cause}"))
            }
            (PublishErrorKind::TimedOut, _) => {
                Self::Unavailable(format!("the stream `{stream}` has not acknowledged in time"))
            }
            _ => Self::Unavailable(with_cause),
        }
    }
}

/// Why a stream is not there to be published to.
pub(crate) fn of_get_stream(error: &GetStreamError, stream: &str) -> String {
    match error.kind() {
        GetStreamErrorKind::JetStream(of_server)
            if of_server.error_code() == ErrorCode::STREAM_NOT_FOUND =>
        {
            format!("the stream `{stream}` does not exist, create it")
        }
        GetStreamErrorKind::InvalidStreamName | GetStreamErrorKind::EmptyName => {
            format!("`{}` is not the name of a stream", stream.escape_debug())
        }
        _ => format!("the stream `{stream}` was not found: {error}"),
    }
}
