use crate::{CommandId, Entity, Metadata, SequenceNr};

/// What a handler may look at besides the state and the command.
///
/// It holds no clock and no randomness: what a handler needs of those comes in through [`Entity::Env`] or in the
/// command, so that handling a command twice gives the same effect.
#[derive(Debug)]
pub struct Ctx<'a, E: Entity> {
    id: &'a E::Id,
    env: &'a E::Env,
    sequence_nr: SequenceNr,
    metadata: &'a Metadata,
}

impl<'a, E: Entity> Ctx<'a, E> {
    /// Puts a context together; the runtime and the testkit do this.
    #[must_use]
    pub fn new(
        id: &'a E::Id,
        env: &'a E::Env,
        sequence_nr: SequenceNr,
        metadata: &'a Metadata,
    ) -> Self {
        Self { id, env, sequence_nr, metadata }
    }

    /// The id of the entity that handles the command.
    #[must_use]
    pub fn id(&self) -> &'a E::Id {
        self.id
    }

    /// What was injected for this kind of entity when the engine was built.
    #[must_use]
    pub fn env(&self) -> &'a E::Env {
        self.env
    }

    /// The sequence number of the last event the state has seen, 0 before the first; for durable state the number of
    /// its last revision.
    #[must_use]
    pub fn sequence_nr(&self) -> SequenceNr {
        self.sequence_nr
    }

    /// What came with the command.
    #[must_use]
    pub fn metadata(&self) -> &'a Metadata {
        self.metadata
    }

    /// The id of the command, when its caller gave one.
    #[must_use]
    pub fn command_id(&self) -> Option<&'a CommandId> {
        self.metadata.command_id()
    }
}
