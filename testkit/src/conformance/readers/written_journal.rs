use super::Tally;
use crate::conformance::{
    StoreFixture,
    sample::{self, entity},
    writer::Writer,
};
use actum_model::{Entity, EntityKey, StoredPayload, Timestamp};
use actum_persistence::store::{AppendOutcome, NewEvent, StateChange, StateOutcome};
use bytes::Bytes;
use std::collections::HashMap;

/// A journal that a process of its own writes. Event `nr` of an entity is the number `nr`.
pub(crate) struct WrittenJournal {
    writer: Writer,
    heads: HashMap<EntityKey, u64>,
    /// How many events there are.
    pub(crate) events: u64,
}

pub(crate) fn tally(id: &str) -> EntityKey {
    entity(Tally::KIND, id)
}

/// A stream of events that are numbers.
pub(crate) fn stream(id: &str) -> EntityKey {
    entity("stream", id)
}

/// An entity whose events no one decodes.
pub(crate) fn note(id: &str) -> EntityKey {
    entity("note", id)
}

/// When the event happened that is so many events behind the first one of the journal.
pub(crate) fn happened_at(behind_first: u64) -> Timestamp {
    let micros = i64::try_from(behind_first * 1_000_000).expect("a case writes few events");
    Timestamp::from_micros(sample::timestamp().as_micros() + micros)
}

fn encoded(nr: u64) -> StoredPayload {
    StoredPayload::encode(&nr).expect("a number can be encoded")
}

impl WrittenJournal {
    pub(crate) async fn create(fixture: &dyn StoreFixture) -> Self {
        let writer = Writer::claim(&fixture.open().await).await;
        Self { writer, heads: HashMap::new(), events: 0 }
    }

    /// Appends the next `count` events of an entity, in one batch.
    pub(crate) async fn write(&mut self, entity: &EntityKey, count: u64) {
        let head = self.heads.entry(entity.clone()).or_default();
        let event = |nr: u64| NewEvent {
            timestamp: happened_at(self.events + nr - *head - 1),
            payload: encoded(nr),
            metadata: Bytes::new(),
        };
        let events: Vec<_> = (*head + 1..=*head + count).map(event).collect();
        let outcome = self.writer.store_one(entity, *head, events).await;
        let outcome = outcome.expect("the store accepts the batch");
        assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
        *head += count;
        self.events += count;
    }

    /// Appends an event that cannot be decoded.
    pub(crate) async fn write_damaged(&mut self, entity: &EntityKey) {
        let head = self.heads.entry(entity.clone()).or_default();
        let outcome = self.writer.store_one(entity, *head, vec![sample::event("damaged")]).await;
        let outcome = outcome.expect("the store accepts the batch");
        assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
        *head += 1;
        self.events += 1;
    }

    /// Writes the next revision of a durable state, or deletes it.
    pub(crate) async fn put(&mut self, entity: &EntityKey, is_deleted: bool) {
        let head = self.heads.entry(entity.clone()).or_default();
        let payload = super::Label(*head + 1);
        let payload = StoredPayload::encode(&payload).expect("a label can be encoded");
        let change = if is_deleted { StateChange::Delete } else { StateChange::Put(payload) };
        let write = self.writer.change(entity, (*head, *head + 1), change);
        let written = self.writer.store_states(vec![write]).await;
        assert_eq!(written.expect("the store accepts the write"), [StateOutcome::Written]);
        *head += 1;
    }

    /// The number of the last event of an entity, or the revision of its state.
    pub(crate) fn head_of(&self, entity: &EntityKey) -> u64 {
        self.heads.get(entity).copied().unwrap_or_default()
    }
}
