//! A journal in memory, written to directly, and a store around it where things go wrong as a test says.

use crate::account::Deposited;
use actum_model::{
    EntityKey, Lane, LaneCount, Metadata, Offset, PartitionCount, Payload, Revision, SequenceNr,
    StoredPayload, Timestamp,
};
use actum_persistence::{
    progress::{KeepsProgress, NewProjection, ProjectionId, Segment},
    serializer::Serializer,
    store::{
        AppendBatch, AppendOutcome, DurableStateStore, EntityAppend, EventDeletion, EventStore,
        Incarnation, JournalLayout, NewEvent, PageLimit, StateBatch, StateChange, StateOutcome,
        StateWrite, WriterClaim, WriterStore,
    },
};
use actum_projection::{Events, Journal, ReadError};
use actum_store_memory::MemoryStore;
use actum_testkit::{FaultStore, Faults, Operation};
use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

pub(crate) struct Rig {
    pub(crate) store: MemoryStore,
    pub(crate) faults: Faults,
    incarnation: Incarnation,
    next_event_nr: AtomicU64,
}

pub(crate) fn account(id: &str) -> EntityKey {
    entity("account", id)
}

pub(crate) fn entity(kind: &'static str, id: &str) -> EntityKey {
    EntityKey::new(kind, id).unwrap()
}

/// Pages of at most this many events.
pub(crate) fn at_most(events: u32) -> PageLimit {
    PageLimit::default().with_events(NonZeroU32::new(events).unwrap())
}

/// An event that the rig stores.
pub(crate) fn stored<T: Payload>(event: &T) -> NewEvent {
    let (timestamp, metadata) =
        (Timestamp::from_micros(7), Metadata::new().with_correlation_id("c-1"));
    let serializer = Serializer::default();
    NewEvent {
        timestamp,
        payload: serializer.encode(event).unwrap(),
        metadata: serializer.encode_metadata(&metadata, None).unwrap(),
    }
}

pub(crate) fn deposited(cents: u64) -> NewEvent {
    stored(&Deposited { cents })
}

impl Rig {
    pub(crate) async fn new(lanes: u16) -> Self {
        let lanes = LaneCount::new(lanes).unwrap();
        let layout = JournalLayout { partitions: PartitionCount::default(), lanes };
        let store = MemoryStore::with_layout(layout);
        let (slot, holder) = ("journal".into(), "the test".into());
        let claim = WriterClaim { slot, holder, lease: Duration::from_secs(60), replaces: None };
        let incarnation = store.claim(&claim).await.unwrap();
        let (faults, next_event_nr) = (Faults::new(), AtomicU64::new(1));
        Self { store, faults, incarnation, next_event_nr }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::new(FaultStore::scripted(self.store.clone(), &self.faults))
    }

    pub(crate) async fn append(&self, entity: &EntityKey, expected: u64, events: Vec<NewEvent>) {
        let layout = EventStore::layout(&self.store);
        let count = events.len() as u64;
        let append = EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(layout.partitions),
            owned_as: None,
            expected: SequenceNr::new(expected),
            first_event_nr: self.next_event_nr.fetch_add(count, Relaxed),
            events,
        };
        let lane = layout.lane_of(entity);
        let batch = AppendBatch { lane, incarnation: self.incarnation, appends: vec![append] };
        let outcomes = self.store.append(&batch).await.unwrap();
        assert!(matches!(outcomes[..], [AppendOutcome::Appended { .. }]), "{outcomes:?}");
    }

    /// What is stored of a state.
    pub(crate) fn encoded<S: Payload>(&self, state: Option<S>) -> Option<StoredPayload> {
        state.map(|state| Serializer::default().encode(&state).unwrap())
    }

    /// Writes a durable state at its next revision, or deletes it.
    pub(crate) async fn write<S: Payload>(&self, entity: &EntityKey, state: Option<S>) {
        self.write_stored(entity, self.encoded(state)).await;
    }

    pub(crate) async fn write_stored(&self, entity: &EntityKey, state: Option<StoredPayload>) {
        let record = DurableStateStore::load(&self.store, std::slice::from_ref(entity)).await;
        let record = record.unwrap().remove(0);
        let expected = record.map_or(Revision::ZERO, |record| record.revision);
        let write = StateWrite {
            entity: entity.clone(),
            partition: entity.partition(EventStore::layout(&self.store).partitions),
            owned_as: None,
            expected,
            revision: expected.next(),
            write_nr: self.next_event_nr.fetch_add(1, Relaxed),
            timestamp: Timestamp::from_micros(7),
            change: state.map_or(StateChange::Delete, StateChange::Put),
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        };
        let batch = StateBatch { incarnation: self.incarnation, writes: vec![write] };
        let written = DurableStateStore::write(&self.store, &batch).await.unwrap();
        assert_eq!(written, [StateOutcome::Written]);
    }

    /// Names the events to come as no other rig names its own.
    pub(crate) fn name_events_from(&self, nr: u64) {
        self.next_event_nr.store(nr, Relaxed);
    }

    /// Appends deposits of 1, 2, … cents.
    pub(crate) async fn deposit(&self, entity: &EntityKey, count: u64) {
        self.append(entity, 0, (1..=count).map(deposited).collect()).await;
    }

    pub(crate) async fn delete(&self, entity: &EntityKey, up_to: u64) {
        let deletion = EventDeletion::new(entity, SequenceNr::new(up_to));
        self.store.prune_events(self.incarnation, &[deletion]).await.unwrap();
    }

    /// Enters a projection that has begun with other sources than accounts.
    pub(crate) async fn other_sources(&self, name: &str) -> ProjectionId {
        let (layout, id) = (self.store.layout(), ProjectionId::new(name, NonZeroU32::MIN).unwrap());
        let new = NewProjection {
            id: id.clone(),
            sources: vec!["customer".to_owned()],
            layout,
            segments: Segment::divide(layout.partitions, NonZeroU16::MIN),
            start: Offset::beginning(layout.lanes),
            live_from: Offset::beginning(layout.lanes),
        };
        self.store.progress().enter(&new).await.unwrap();
        id
    }

    pub(crate) fn calls(&self, operation: Operation) -> u64 {
        self.faults.calls(operation)
    }

    pub(crate) fn lane_of(&self, entity: &EntityKey) -> Lane {
        EventStore::layout(&self.store).lane_of(entity)
    }
}

/// Everything that is left, as entity id and sequence number.
pub(crate) async fn rest<E>(events: &mut Events<E>) -> Result<Vec<(String, u64)>, ReadError> {
    let mut rest = Vec::new();
    while let Some(event) = events.next().await? {
        rest.push((event.entity.id().to_owned(), event.sequence_nr.get()));
    }
    Ok(rest)
}

pub(crate) fn positions(offset: &Offset) -> Vec<u64> {
    offset.positions().iter().map(|position| position.get()).collect()
}
