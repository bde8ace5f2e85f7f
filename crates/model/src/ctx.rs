use crate::{
    CommandId, DurableState, Effect, Entity, EventSourced, Metadata, SequenceNr, Unanswered,
};

/// What a handler may look at besides the state and the command, and where it gets its [`Effect`] from.
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

    /// [`Effect::none`]: changes nothing.
    pub fn none<R>(&self) -> Effect<E, R>
    where
        (): Unanswered<R>,
    {
        Effect::none()
    }

    /// [`Effect::persist`]: stores one event.
    pub fn persist<R>(&self, event: impl Into<E::Event>) -> Effect<E, R>
    where
        E: EventSourced,
        (): Unanswered<R>,
    {
        Effect::persist(event)
    }

    /// [`Effect::persist_all`]: stores events in this order, all or none.
    pub fn persist_all<R>(&self, events: impl IntoIterator<Item = E::Event>) -> Effect<E, R>
    where
        E: EventSourced,
        (): Unanswered<R>,
    {
        Effect::persist_all(events)
    }

    /// [`Effect::replace`]: stores `state` in place of the present one.
    pub fn replace<R>(&self, state: E) -> Effect<E, R>
    where
        E: DurableState,
        (): Unanswered<R>,
    {
        Effect::replace(state)
    }

    /// [`Effect::delete`]: deletes the state.
    pub fn delete<R>(&self) -> Effect<E, R>
    where
        E: DurableState,
        (): Unanswered<R>,
    {
        Effect::delete()
    }
}
