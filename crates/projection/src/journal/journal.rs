use super::{
    ChangesAsEvents, EntityList, Events, History, JournalInfo, ReadError, StateChanges,
    decoding::{DecodePayload, stored, stored_state, typed, typed_state},
};
use actum_model::{
    DurableState, Entity, EntityId, EntityKey, InvalidKey, Offset, Payload, StoredPayload,
};
use actum_persistence::store::{EventFilter, ListedEntity, ListedState, PageLimit, Stores};
use std::{fmt, sync::Arc};

/// Reads the journal of an engine beside its entities: what is committed, and nothing else. Cheap to clone.
///
/// Readers load the store as any query does, and hold up no writer. After the engine's shutdown they get
/// [`StoreError::Unavailable`](actum_persistence::store::StoreError::Unavailable).
#[derive(Clone)]
pub struct Journal {
    stores: Stores,
}

impl Journal {
    /// The journal that is kept in `stores`.
    #[must_use]
    pub fn new(stores: impl Into<Stores>) -> Self {
        Self { stores: stores.into() }
    }

    /// The events of an entity. One that was never written has none.
    pub fn history<E: Entity>(&self, id: impl Into<E::Id>) -> History<E::Event> {
        let entity = EntityKey::new(E::KIND, id.into().to_text());
        History::new(Arc::clone(&self.stores.events), entity, PageLimit::default(), typed)
    }

    /// The events of an entity, or of a stream, that is named by its key, decoded as events of this type. A key that is not
    /// valid is the error of the first [`next`](History::next).
    pub fn history_as<E: Payload>(&self, entity: Result<EntityKey, InvalidKey>) -> History<E> {
        History::new(Arc::clone(&self.stores.events), entity, PageLimit::default(), typed)
    }

    /// The events of an entity as they are stored.
    pub fn stored_history(&self, entity: EntityKey) -> History<StoredPayload> {
        History::new(Arc::clone(&self.stores.events), Ok(entity), PageLimit::default(), stored)
    }

    /// The events of all entities of one kind.
    pub fn events_of<E: Entity>(&self) -> Events<E::Event> {
        let filter = EventFilter { kinds: vec![E::KIND.to_owned()], ..EventFilter::default() };
        Events::new(Arc::clone(&self.stores.events), filter, PageLimit::default(), typed)
    }

    /// All events as they are stored.
    pub fn stored_events(&self) -> Events<StoredPayload> {
        let filter = EventFilter::default();
        Events::new(Arc::clone(&self.stores.events), filter, PageLimit::default(), stored)
    }

    /// The latest states of the durable-state entities of one kind, in the order of their changes.
    pub fn state_changes<S: DurableState>(&self) -> StateChanges<S> {
        let filter = EventFilter { kinds: vec![S::KIND.to_owned()], ..EventFilter::default() };
        self.changes(filter, typed_state)
    }

    /// The latest states of all durable-state entities as they are stored, in the order of their changes.
    pub fn stored_state_changes(&self) -> StateChanges<StoredPayload> {
        self.changes(EventFilter::default(), stored_state)
    }

    fn changes<S>(&self, filter: EventFilter, decode: DecodePayload<Option<S>>) -> StateChanges<S> {
        let (states, layout) = (Arc::clone(&self.stores.states), self.stores.events.layout());
        let changes = Arc::new(ChangesAsEvents::new(states, layout));
        StateChanges::new(Events::new(changes, filter, PageLimit::default(), decode))
    }

    /// The event-sourced entities of a kind.
    pub fn entities(&self, kind: impl Into<String>) -> EntityList<ListedEntity> {
        let events = Arc::clone(&self.stores.events);
        EntityList::new(
            kind.into(),
            Box::new(move |search| {
                let events = Arc::clone(&events);
                Box::pin(async move { events.list_entities(&search).await })
            }),
        )
    }

    /// The durable-state entities of a kind, those whose state was deleted included.
    pub fn states(&self, kind: impl Into<String>) -> EntityList<ListedState> {
        let states = Arc::clone(&self.stores.states);
        EntityList::new(
            kind.into(),
            Box::new(move |search| {
                let states = Arc::clone(&states);
                Box::pin(async move { states.list_states(&search).await })
            }),
        )
    }

    /// The position of the last event of every lane.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn heads(&self) -> Result<Offset, ReadError> {
        Ok(self.stores.events.heads().await?)
    }

    /// The position of the last change of a durable state in every lane.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn change_heads(&self) -> Result<Offset, ReadError> {
        Ok(self.stores.states.change_heads().await?)
    }

    /// How the journal is divided, how far it has come, and the kinds of its entities.
    ///
    /// # Errors
    /// [`ReadError::Store`].
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn info(&self) -> Result<JournalInfo, ReadError> {
        let (heads, kinds) = (self.heads().await?, self.stores.events.kinds().await?);
        Ok(JournalInfo { layout: self.stores.events.layout(), heads, kinds })
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}
