use std::fmt;

/// The bounds that protect memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// Commands that wait for one entity.
    EntityCommands,
    /// Commands that wait in one partition.
    PartitionCommands,
    /// Commands that wait in the whole engine.
    EngineCommands,
    /// Bytes that wait to be written to the journal.
    JournalBytes,
    /// Bytes that wait to be sent to another node of the cluster.
    PeerBytes,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EntityCommands => "too many commands wait for this entity",
            Self::PartitionCommands => "too many commands wait in the entity's partition",
            Self::EngineCommands => "too many commands wait in this engine",
            Self::JournalBytes => "too many bytes wait to be written to the journal",
            Self::PeerBytes => "too many bytes wait to be sent to the node that owns the entity",
        })
    }
}
