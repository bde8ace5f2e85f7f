use super::RecentCommand;
use crate::store::Incarnation;
use actum_model::SequenceNr;

/// The commands an entity remembers, as a snapshot carries them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentCommands {
    /// Commands whose last change has this number, or a lower one, are forgotten.
    pub forgotten_to: SequenceNr,
    /// The newest of them, oldest first. Those between `forgotten_to` and the first of these are only in the journal.
    pub marks: Vec<CommandMark>,
    /// When the list was made.
    pub made_at: Uptime,
    /// What schema version 1 stored in place of all the others, oldest first; never written.
    pub commands: Vec<RecentCommand>,
}

/// What finds a command again by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandMark {
    /// The [hash](actum_model::CommandId::hash64) of its id.
    pub id_hash: u64,
    /// The sequence number of its last change.
    pub sequence_nr: SequenceNr,
    /// For how many seconds it had surely been remembered.
    pub age_seconds: u32,
}

/// A moment of one life of an engine. Those of different lives cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Which life.
    pub incarnation: Incarnation,
    /// For how many whole seconds the engine had been running, by a clock that never regresses.
    pub seconds: u32,
}

impl Default for Uptime {
    /// The beginning of a life that no engine has.
    fn default() -> Self {
        Self { incarnation: Incarnation::new(0), seconds: 0 }
    }
}
