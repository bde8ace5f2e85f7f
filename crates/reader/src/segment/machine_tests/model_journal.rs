use actum_model::{
    EntityKey, Lane, LaneCount, Offset, Partition, Position, SequenceNr, StoredPayload, Timestamp,
};
use actum_persistence::store::{
    EntityPage, EventId, Incarnation, JournalEvent, LanePage, StoredEvent,
};
use bytes::Bytes;
use std::{collections::BTreeMap, num::NonZeroU32};

/// Events of some entities in some lanes, as a store returns them.
pub(super) struct ModelJournal {
    lanes: Vec<Vec<JournalEvent>>,
    heads: BTreeMap<EntityKey, u64>,
    next_event_nr: u64,
}

impl ModelJournal {
    pub(super) fn new(lanes: LaneCount) -> Self {
        let lanes = lanes.iter().map(|_| Vec::new()).collect();
        Self { lanes, heads: BTreeMap::new(), next_event_nr: 1 }
    }

    /// Appends an event of entity number `nr`, whose partition has that number.
    pub(super) fn append(&mut self, nr: u16) {
        let entity = EntityKey::new("account", format!("a{nr}")).unwrap();
        let (partition, count) =
            (Partition::new(nr), LaneCount::new(self.lanes.len() as u16).unwrap());
        let lane = &mut self.lanes[Lane::of_partition(partition, count).index()];
        let head = self.heads.entry(entity.clone()).or_default();
        *head += 1;
        let event_id = EventId { incarnation: Incarnation::new(1), nr: self.next_event_nr };
        self.next_event_nr += 1;
        let event = StoredEvent {
            sequence_nr: SequenceNr::new(*head),
            position: Position::new(lane.len() as u64 + 1),
            event_id,
            timestamp: Timestamp::default(),
            payload: StoredPayload {
                manifest: "deposited".into(),
                schema_version: NonZeroU32::MIN.get(),
                codec: "json".into(),
                bytes: Bytes::from_static(b"{}"),
            },
            metadata: Bytes::new(),
        };
        lane.push(JournalEvent { entity, partition, event });
    }

    pub(super) fn heads(&self) -> Offset {
        let heads = self.lanes.iter().map(|lane| Position::new(lane.len() as u64));
        Offset::of_positions(heads.collect::<Vec<_>>())
    }

    /// A page of at most so many positions.
    pub(super) fn read_lane(&self, lane: Lane, after: Position, limit: usize) -> LanePage {
        let events = &self.lanes[lane.index()];
        let (from, to) = (after.get() as usize, events.len().min(after.get() as usize + limit));
        // the last entity is of another kind
        let passes = |event: &&JournalEvent| event.entity.id() != "a9";
        let page = events.get(from..to).unwrap_or_default().iter().filter(passes);
        LanePage::new(page.cloned().collect(), Position::new(to as u64).max(after))
    }

    pub(super) fn read_entity(
        &self,
        entity: &EntityKey,
        after: SequenceNr,
        limit: usize,
    ) -> EntityPage {
        let events = self.events_of(entity).filter(|event| event.event.sequence_nr > after);
        let events = events.take(limit).map(|event| event.event.clone()).collect();
        let head = SequenceNr::new(self.heads.get(entity).copied().unwrap_or_default());
        EntityPage::new(events, head, SequenceNr::new(0))
    }

    pub(super) fn events_of(&self, entity: &EntityKey) -> impl Iterator<Item = &JournalEvent> {
        let all = self.lanes.iter().flatten();
        all.filter(move |event| event.entity == *entity)
    }

    /// The entities whose events are handled.
    pub(super) fn entities(&self) -> impl Iterator<Item = &EntityKey> {
        self.heads.keys().filter(|entity| entity.id() != "a9")
    }
}
