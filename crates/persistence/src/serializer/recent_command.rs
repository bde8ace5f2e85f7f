use super::RecordedReply;
use actum_model::{CommandId, SequenceNr, Timestamp};

/// A command that an entity remembers, as schema version 1 stored it: whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentCommand {
    /// What names it.
    pub command_id: CommandId,
    /// The sequence number, or revision, of its last change.
    pub sequence_nr: SequenceNr,
    /// When it was handled.
    pub timestamp: Timestamp,
    /// What its caller got.
    pub reply: RecordedReply,
}
