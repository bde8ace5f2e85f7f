use actum_model::StoredPayload;
use std::borrow::Cow;

/// What the caller of a command was told, kept beside the command's last event so that a retry is told the same.
///
/// Cheap to clone: the bytes are shared, and so are names that the program knows as constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReply {
    /// The manifest of the command: an id that comes back with another command is refused.
    pub command_manifest: Cow<'static, str>,
    /// The reply.
    pub payload: StoredPayload,
}
