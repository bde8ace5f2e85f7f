use super::{
    Batch, EventAtNr, FOREIGNER, HeldBy, Journal, Stored, StoredChange, Written, number_of,
};
use crate::{Flaw, Link};
use actum_model::{EntityKey, Lane, Position, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{
    AppendOutcome, EntityAppend, EventAt, Incarnation, NewEvent, Resolution, StoreError,
    StoredEvent,
};
use bytes::Bytes;

impl Written for EntityAppend {
    fn execute(
        journal: &mut Journal,
        batch: &Batch<Self>,
    ) -> Result<Vec<AppendOutcome>, StoreError> {
        journal.check_fence(batch.incarnation)?;
        journal.check_appends(batch)?;
        let (lane, incarnation) = (batch.lane, batch.incarnation);
        let appends = batch.writes.iter();
        Ok(appends.map(|append| journal.append(append, lane, incarnation)).collect())
    }

    fn find(journal: &Journal, batch: &Batch<Self>) -> Vec<Resolution<AppendOutcome>> {
        batch.writes.iter().map(|append| journal.find_append(append, batch.incarnation)).collect()
    }

    fn late(journal: &mut Journal) -> &mut Vec<Batch<Self>> {
        &mut journal.late_appends
    }

    /// Its events say it themselves.
    fn held(&self, _: &dyn HeldBy) -> Vec<(u32, u64)> {
        Vec::new()
    }

    fn first_nr(&self) -> u64 {
        self.first_event_nr
    }
}

impl Journal {
    /// Appends an event past all cells, as a foreign writer would.
    pub(crate) fn append_foreign(&mut self, entity: &EntityKey, nr: u32, timestamp: Timestamp) {
        let link = Link { nr, index: 0, of: 1, flaw: Flaw::None };
        let payload = StoredPayload::encode(&link).expect("an event of the simulation is encoded");
        let partition = entity.partition(self.layout.partitions);
        let append = EntityAppend {
            entity: entity.clone(),
            partition,
            owned_as: None,
            expected: SequenceNr::new(self.head(number_of(entity))),
            first_event_nr: u64::from(nr),
            events: vec![NewEvent { timestamp, payload, metadata: Bytes::new() }],
        };
        self.append(&append, Lane::of_partition(partition, self.layout.lanes), FOREIGNER);
    }

    /// Deletes the events of an entity up to `up_to`.
    pub(crate) fn delete_events(
        &mut self,
        incarnation: Incarnation,
        entity: u32,
        up_to: u64,
    ) -> Result<(), StoreError> {
        self.check_fence(incarnation)?;
        let history = &mut self.histories[entity as usize];
        if up_to > history.events.len() as u64 {
            self.misuses.push(format!("events of {entity} deleted up to {up_to}, past the head"));
            return Err(StoreError::invalid("past the head"));
        }
        history.floor = history.floor.max(up_to);
        Ok(())
    }

    fn check_appends(&mut self, batch: &Batch<EntityAppend>) -> Result<(), StoreError> {
        let layout = self.layout;
        for (at, append) in batch.writes.iter().enumerate() {
            let twice = batch.writes[..at].iter().any(|other| other.entity == append.entity);
            let partition = append.entity.partition(layout.partitions);
            let misplaced = partition != append.partition
                || Lane::of_partition(partition, layout.lanes) != batch.lane;
            if twice || misplaced || append.events.is_empty() {
                self.misuses.push(format!("twice, misplaced or empty: {append:?}"));
                return Err(StoreError::invalid("a batch that breaks the contract"));
            }
        }
        let mut events = batch.writes.iter().flat_map(|append| &append.events);
        if events.any(|event| event.payload.bytes.last() == Some(&(Flaw::StoreRefuses as u8))) {
            return Err(StoreError::invalid("an event this store does not take"));
        }
        Ok(())
    }

    fn append(
        &mut self,
        append: &EntityAppend,
        lane: Lane,
        incarnation: Incarnation,
    ) -> AppendOutcome {
        let entity = number_of(&append.entity);
        let history = &mut self.histories[entity as usize];
        let actual = history.events.len() as u64;
        if actual != append.expected.get() {
            return AppendOutcome::Conflict { actual: SequenceNr::new(actual) };
        }
        let head = &mut self.heads[lane.index()];
        let mut changes = Vec::with_capacity(append.events.len());
        for (index, event) in append.events.iter().enumerate() {
            *head += 1;
            let (event_id, position) = (append.event_id(incarnation, index), Position::new(*head));
            if !self.event_ids.insert(event_id) {
                self.misuses.push(format!("event id {event_id} used twice"));
            }
            let link: Link = event.payload.decode().expect("only events are appended");
            changes.push(StoredChange {
                nr: link.nr,
                part: (u64::from(link.index), u64::from(link.of)),
                digest: None,
                position: *head,
                timestamp: Some(event.timestamp),
            });
            let nr = actual + index as u64 + 1;
            self.lanes[lane.index()].push(EventAtNr { entity, nr });
            history.events.push(StoredEvent {
                sequence_nr: append.expected.plus(index as u64 + 1),
                position,
                event_id,
                timestamp: event.timestamp,
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
            });
        }
        let position = Position::new(*head);
        self.stored.push(Stored { entity, expected: actual, changes, commands: None });
        AppendOutcome::Appended { last: position }
    }

    fn find_append(
        &self,
        append: &EntityAppend,
        incarnation: Incarnation,
    ) -> Resolution<AppendOutcome> {
        let history = &self.histories[number_of(&append.entity) as usize];
        let last = append.last_sequence_nr().get();
        let kept = history.events.get(last as usize - 1).filter(|_| history.floor < last);
        let floor = SequenceNr::new(history.floor);
        Resolution::of_append(append, incarnation, kept.map(EventAt::from), floor)
    }
}
