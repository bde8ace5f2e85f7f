use crate::{arena::Arena, entity_table::EntityTable, history::History, log::Log};
use actum_model::{EntityKey, LaneCount, Position, SequenceNr, StoredPayload};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, BackwardAnswer, EntityAppend, EntityPage, EntitySearch, EventAt,
    EventDeletion, EventFilter, Incarnation, JournalEvent, LaneAnswer, LanePage, ListedEntity,
    MissingEvents, PageLimit, PageRoom, Resolution, StoreError, StoredEvent,
};

use std::collections::BTreeSet;

/// How many entity tables a whole journal has.
const TABLES: usize = 256;

/// One lane: its log, and the histories of its entities.
pub(crate) struct LaneLog {
    log: Log,
    arena: Arena,
    entities: EntityTable<History>,
}

impl LaneLog {
    /// An empty lane of a journal that has `lanes`.
    pub(crate) fn new(lanes: LaneCount) -> Self {
        let tables = TABLES / usize::from(lanes.get());
        Self { log: Log::default(), arena: Arena::default(), entities: EntityTable::new(tables) }
    }

    /// The position of its last event.
    pub(crate) fn head(&self) -> Position {
        self.log.head()
    }

    /// Stores what does not conflict of a batch that was checked.
    pub(crate) fn append(&mut self, batch: &AppendBatch) -> Vec<AppendOutcome> {
        batch.appends.iter().map(|append| self.append_one(append, batch.incarnation)).collect()
    }

    fn append_one(&mut self, append: &EntityAppend, incarnation: Incarnation) -> AppendOutcome {
        let place = self.entities.place(&append.entity);
        let actual = place.value().map_or(SequenceNr::ZERO, |history| history.head);
        if let Some(conflict) = append.conflict_at(actual) {
            return conflict;
        }
        let first = self.log.head().plus(1);
        place.or_default(&append.entity).extend(first, append.events.len() as u64);
        for (index, event) in append.events.iter().enumerate() {
            let bytes = self.arena.keep(&event.payload.bytes);
            let StoredPayload { codec, manifest, schema_version, .. } = &event.payload;
            let (codec, manifest) = (codec.clone(), manifest.clone());
            let payload = StoredPayload { codec, manifest, schema_version: *schema_version, bytes };
            let event_id = append.event_id(incarnation, index);
            self.log.push(JournalEvent {
                entity: append.entity.clone(),
                partition: append.partition,
                event: StoredEvent {
                    sequence_nr: append.expected.plus(index as u64 + 1),
                    position: self.log.head().plus(1),
                    event_id,
                    timestamp: event.timestamp,
                    payload,
                    metadata: event.metadata.clone(),
                },
            });
        }
        AppendOutcome::Appended { last: self.log.head() }
    }

    /// The outcome of an append.
    pub(crate) fn resolve(
        &self,
        append: &EntityAppend,
        incarnation: Incarnation,
    ) -> Resolution<AppendOutcome> {
        let Some(history) = self.entities.find(&append.entity) else {
            return Resolution::NotStored;
        };
        let nr = append.last_sequence_nr();
        let is_there = history.floor < nr && nr <= history.head;
        let position = is_there.then(|| history.position(nr));
        let last = position.and_then(|position| self.log.find(position));
        let last = last.map(|found| EventAt::from(&found.event));
        Resolution::of_append(append, incarnation, last, history.floor)
    }

    /// A page of an entity's events behind `after`.
    pub(crate) fn read_entity(
        &self,
        entity: &EntityKey,
        after: SequenceNr,
        limit: PageLimit,
    ) -> EntityPage {
        let Some(history) = self.entities.find(entity) else { return EntityPage::default() };
        let mut room = PageRoom::new(limit);
        let events = history
            .positions(after)
            .map(|position| {
                let found = self.log.find(position);
                &found.expect("what is behind the floor is in the log").event
            })
            .take_while(|event| room.take(event))
            .cloned()
            .collect();
        EntityPage::new(events, history.head, history.floor)
    }

    /// A page of an entity's events in front of `before`, the newest first.
    pub(crate) fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, MissingEvents> {
        let Some(history) = self.entities.find(entity) else { return Ok(EntityPage::default()) };
        let numbers = (history.head, history.floor);
        let mut answer = BackwardAnswer::new(entity, numbers, before, limit);
        for nr in (history.floor.get() + 1..=answer.first().get()).rev() {
            let found = self.log.find(history.position(SequenceNr::new(nr)));
            let found = found.expect("what is behind the floor is in the log");
            if answer.add(found.event.clone())? {
                break;
            }
        }
        answer.finish()
    }

    /// A page of the lane's events behind `after`.
    pub(crate) fn read(&self, after: Position, filter: &EventFilter, limit: PageLimit) -> LanePage {
        let mut answer = LaneAnswer::new(after, limit);
        let mut behind = self.log.behind(after);
        for _ in 0..LaneAnswer::looked_at_max(limit) {
            let Some(event) = behind.next() else {
                answer.reach(self.log.head());
                break;
            };
            if filter.passes(event) && !answer.add(event.clone()) {
                break;
            }
            answer.reach(event.event.position);
        }
        answer.finish()
    }

    /// Which of the entities in one of its tables are wanted, in no order; none if there is no such table.
    pub(crate) fn list(&self, table: usize, search: &EntitySearch) -> Option<Vec<ListedEntity>> {
        let listed = |(entity, history): &(EntityKey, History)| {
            let is_listed = history.head.get() > 0;
            is_listed.then(|| ListedEntity::new(entity.clone(), history.head, history.floor))
        };
        let wanted = self.entities.search(table, search)?;
        Some(wanted.filter_map(listed).collect())
    }

    /// The kinds of the entities in one of its tables; none if there is no such table.
    pub(crate) fn kinds(&self, table: usize) -> Option<BTreeSet<String>> {
        self.entities.kinds(table)
    }

    /// Whether entities of `kind` have events, deleted or not.
    pub(crate) fn has_events_of(&self, kind: &str) -> bool {
        self.entities.has_of_kind(kind, |history| history.head > SequenceNr::ZERO)
    }

    /// Deletes events of an entity of the lane.
    pub(crate) fn delete(&mut self, deletion: &EventDeletion) -> Result<(), StoreError> {
        let mut none = History::default();
        let history = self.entities.find_mut(&deletion.entity).unwrap_or(&mut none);
        deletion.check_head(history.head)?;
        let count = deletion.up_to.get().saturating_sub(history.floor.get());
        let read = |position: &Position| deletion.read_to.is_none_or(|to| *position <= to);
        let gone = history.positions(history.floor);
        let gone = gone.take(usize::try_from(count).unwrap_or(usize::MAX)).take_while(read);
        let deleted = gone.map(|position| self.log.delete(position)).count() as u64;
        if deleted > 0 {
            history.forget(history.floor.plus(deleted));
        }
        Ok(())
    }

    /// See [`MemoryStore::advance_lane`](crate::MemoryStore::advance_lane).
    pub(crate) fn advance(&mut self, to: Position) {
        self.log.advance(to);
    }

    /// See [`MemoryStore::advance_entity`](crate::MemoryStore::advance_entity).
    pub(crate) fn advance_entity(&mut self, entity: &EntityKey, to: SequenceNr) {
        let history = self.entities.find_or_default(entity);
        assert_eq!(history.head, SequenceNr::ZERO, "{entity} has events");
        history.head = to;
        history.forget(to);
    }
}
