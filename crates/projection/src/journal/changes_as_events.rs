use actum_model::{
    EntityKey, Lane, Offset, Position, Revision, SequenceNr, StoredPayload, Timestamp,
};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, ChangeFilter, ChangedState, DurableStateStore, EntityPage,
    EntityRead, EntitySearch, EventDeletion, EventFilter, EventId, EventStore, Incarnation,
    JournalEvent, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution,
    StateRecord, StoreError, StoredEvent,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// Shows the changes of durable states as the events of a journal, for all that reads events: the position of a change as that
/// of an event, the revision as the sequence number, the state as the payload. An entity has one event, its last; only lanes
/// and entities can be read.
pub(crate) struct ChangesAsEvents {
    states: Arc<dyn DurableStateStore>,
    layout: JournalLayout,
}

impl ChangesAsEvents {
    /// Shows those of a journal that is divided like this.
    pub(crate) fn new(states: Arc<dyn DurableStateStore>, layout: JournalLayout) -> Self {
        Self { states, layout }
    }

    fn refuse<T>(what: &str) -> Result<T, StoreError> {
        Err(StoreError::invalid(format!("changes of states have no {what}")))
    }
}

/// The payload of a state that was deleted. No payload that is stored looks like this: each names its codec.
fn tombstone() -> StoredPayload {
    StoredPayload { codec: "".into(), manifest: "".into(), schema_version: 0, bytes: Bytes::new() }
}

/// Whether this is the payload of a state that was deleted.
pub(super) fn is_tombstone(payload: &StoredPayload) -> bool {
    payload.codec.is_empty()
}

/// The last write of an entity as an event.
struct LastChange {
    revision: Revision,
    position: Position,
    write_id: EventId,
    timestamp: Timestamp,
    state: Option<StoredPayload>,
}

impl LastChange {
    fn into_event(self) -> StoredEvent {
        StoredEvent {
            sequence_nr: SequenceNr::new(self.revision.get()),
            position: self.position,
            event_id: self.write_id,
            timestamp: self.timestamp,
            payload: self.state.unwrap_or_else(tombstone),
            metadata: Bytes::new(),
        }
    }
}

fn event_of(change: ChangedState) -> JournalEvent {
    let ChangedState { entity, partition, position, revision, timestamp, write_id, state } = change;
    let event = LastChange { revision, position, write_id, timestamp, state }.into_event();
    JournalEvent { entity, partition, event }
}

/// The last event of an entity, if it lies behind `after`.
fn page_of(record: StateRecord, after: SequenceNr) -> EntityPage {
    let StateRecord { revision, timestamp, state, write_id, position, .. } = record;
    let event = LastChange { revision, position, write_id, timestamp, state }.into_event();
    let head = event.sequence_nr;
    let events = if head > after { vec![event] } else { Vec::new() };
    EntityPage::new(events, head, SequenceNr::ZERO)
}

#[async_trait]
impl EventStore for ChangesAsEvents {
    fn layout(&self) -> JournalLayout {
        self.layout
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        let EventFilter { kinds, manifests, partitions } = filter;
        if !manifests.is_empty() {
            return Self::refuse("manifests to filter by");
        }
        let filter = ChangeFilter { kinds: kinds.clone(), partitions: partitions.clone() };
        let page = self.states.read_changes(lane, after, &filter, limit).await?;
        Ok(LanePage::new(page.changes.into_iter().map(event_of).collect(), page.read_to))
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        self.states.change_heads().await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        _limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        let entities: Vec<_> = reads.iter().map(|read| read.entity.clone()).collect();
        let records = self.states.load(&entities).await?;
        let page = |(record, read): (Option<StateRecord>, &EntityRead)| {
            record.map_or_else(EntityPage::default, |record| page_of(record, read.after))
        };
        Ok(records.into_iter().zip(reads).map(page).collect())
    }

    async fn append(&self, _: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        Self::refuse("appends")
    }

    async fn resolve(&self, _: &AppendBatch) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        Self::refuse("appends")
    }

    async fn read_backward(
        &self,
        _: &EntityKey,
        _: SequenceNr,
        _: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        Self::refuse("history")
    }

    async fn list_entities(&self, _: &EntitySearch) -> Result<Listing<ListedEntity>, StoreError> {
        Self::refuse("list of entities")
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        Self::refuse("list of kinds")
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.states.has_states_of(kind).await
    }

    async fn prune_events(&self, _: Incarnation, _: &[EventDeletion]) -> Result<(), StoreError> {
        Self::refuse("events to delete")
    }
}
