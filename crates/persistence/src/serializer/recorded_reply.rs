use actum_model::StoredPayload;
use std::borrow::Cow;

/// What the caller of a command got, kept beside the command's last change so that a retry gets the same.
///
/// Cheap to clone: the bytes are shared, and so are names that the program knows as constants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReply {
    /// The manifest of the command: an id that comes back with another command is refused.
    pub command_manifest: Cow<'static, str>,
    /// The schema version of the command; 0 where it was not recorded.
    pub command_schema_version: u32,
    /// A [fingerprint](actum_model::Codec::fingerprint) of the command's content: an id that comes back with other content
    /// is refused. `None` where it was not recorded, and then it is not compared.
    pub command_fingerprint: Option<u64>,
    /// For how many whole seconds the engine had been running, by a clock that never regresses. Comparable with that of
    /// another command of the same incarnation.
    pub uptime_seconds: Option<u32>,
    /// The reply.
    pub payload: StoredPayload,
}

impl RecordedReply {
    /// Whether a command of this manifest, schema version and fingerprint may be the recorded one, as far as that can be
    /// known: fingerprints of different schema versions differ, whatever the content is.
    #[must_use]
    pub fn is_of(&self, manifest: &str, schema_version: u32, fingerprint: u64) -> bool {
        let comparable = self.command_schema_version == schema_version;
        let recorded = self.command_fingerprint.filter(|_| comparable);
        self.command_manifest == manifest && recorded.is_none_or(|recorded| recorded == fingerprint)
    }
}
