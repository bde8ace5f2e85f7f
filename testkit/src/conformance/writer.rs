use actum_model::Revision;
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, ClaimError, EntityAppend, EventStore, Incarnation, NewEvent,
    StateBatch, StateChange, StateOutcome, StateWrite, StoreError, Stores, WriterClaim,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::sample;

/// A lease that does not run out during a case.
pub(crate) const LONG_LEASE: Duration = Duration::from_secs(3600);
/// A lease that is waited for.
pub(crate) const SHORT_LEASE: Duration = Duration::from_millis(40);

/// An incarnation that holds a slot, and the handle it writes through.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) stores: Stores,
    pub(crate) incarnation: Incarnation,
    /// The role it writes in as an owner; none for one that is no member of a cluster.
    pub(crate) owned_as: Option<Arc<str>>,
    next_event_nr: AtomicU64,
}

/// The claim of `slot` with a long lease.
pub(crate) fn claim_of(slot: &str) -> WriterClaim {
    WriterClaim {
        slot: slot.into(),
        holder: format!("the writer of {slot}"),
        lease: LONG_LEASE,
        replaces: None,
    }
}

impl Writer {
    /// Claims the slot `journal`.
    pub(crate) async fn claim(stores: &Stores) -> Self {
        Self::claim_slot(stores, "journal").await
    }

    /// Claims `slot`.
    pub(crate) async fn claim_slot(stores: &Stores, slot: &str) -> Self {
        let incarnation = stores.writers.claim(&claim_of(slot)).await.expect("the slot is free");
        Self::of(stores, incarnation)
    }

    /// Claims the slot `journal` after its holder was killed: where the store does not see that by itself, from the
    /// holder as it is seen.
    pub(crate) async fn take_over(stores: &Stores, lease: Duration) -> Self {
        let claim = WriterClaim { lease, ..claim_of("journal") };
        let incarnation = match stores.writers.claim(&claim).await {
            Err(held @ ClaimError::Held { .. }) => {
                let replaces = Some(held.seen().expect("the store sees that the holder is dead"));
                stores.writers.claim(&WriterClaim { replaces, ..claim }).await
            }
            claimed => claimed,
        };
        Self::of(stores, incarnation.expect("the holder is dead"))
    }

    /// Writes through `stores` as `incarnation`, whether it may or not.
    pub(crate) fn of(stores: &Stores, incarnation: Incarnation) -> Self {
        let next_event_nr = AtomicU64::new(1);
        Self { stores: stores.clone(), incarnation, owned_as: None, next_event_nr }
    }

    /// Writes in a role, as an owner of partitions.
    pub(crate) fn owning(self, role: &str) -> Self {
        Self { owned_as: Some(role.into()), ..self }
    }

    /// An append of `events` to `entity`, which is expected at `expected`.
    pub(crate) fn append(
        &self,
        entity: &EntityKey,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> EntityAppend {
        let first_event_nr =
            self.next_event_nr.fetch_add(events.len().max(1) as u64, Ordering::Relaxed);
        EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(self.stores.events.layout().partitions),
            owned_as: self.owned_as.clone(),
            expected: SequenceNr::new(expected),
            first_event_nr,
            events,
        }
    }

    /// A batch for the lane of its first append.
    pub(crate) fn batch(&self, appends: Vec<EntityAppend>) -> AppendBatch {
        let lane = lane_of(self.stores.events.as_ref(), &appends[0].entity);
        AppendBatch { lane, incarnation: self.incarnation, appends }
    }

    /// Stores a batch.
    pub(crate) async fn store(
        &self,
        appends: Vec<EntityAppend>,
    ) -> Result<Vec<AppendOutcome>, StoreError> {
        self.stores.events.append(&self.batch(appends)).await
    }

    /// Stores one append.
    pub(crate) async fn store_one(
        &self,
        entity: &EntityKey,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> Result<AppendOutcome, StoreError> {
        let outcomes = self.store(vec![self.append(entity, expected, events)]).await?;
        assert_eq!(outcomes.len(), 1, "one append has one outcome");
        Ok(outcomes[0])
    }

    /// Stores `count` events that must go through, and says the position of the last.
    pub(crate) async fn write(&self, entity: &EntityKey, expected: u64, count: usize) -> Position {
        let outcome = self.store_one(entity, expected, sample::events(count)).await;
        match outcome.expect("the store accepts the batch") {
            AppendOutcome::Appended { last } => last,
            refused => panic!("{entity} is expected at {expected}: {refused:?}"),
        }
    }

    /// A write of `change` to a durable state.
    pub(crate) fn change(
        &self,
        entity: &EntityKey,
        (expected, revision): (u64, u64),
        change: StateChange,
    ) -> StateWrite {
        StateWrite {
            entity: entity.clone(),
            partition: entity.partition(self.stores.events.layout().partitions),
            owned_as: self.owned_as.clone(),
            expected: Revision::new(expected),
            revision: Revision::new(revision),
            write_nr: self.next_event_nr.fetch_add(1, Ordering::Relaxed),
            timestamp: sample::timestamp(),
            change,
            commands: Vec::new(),
            forget_to: Revision::ZERO,
        }
    }

    /// A batch of state writes.
    pub(crate) fn state_batch(&self, writes: Vec<StateWrite>) -> StateBatch {
        StateBatch { incarnation: self.incarnation, writes }
    }

    /// Stores state writes.
    pub(crate) async fn store_states(
        &self,
        writes: Vec<StateWrite>,
    ) -> Result<Vec<StateOutcome>, StoreError> {
        self.stores.states.write(&self.state_batch(writes)).await
    }

    /// Puts a state that carries `text` and returns its outcome.
    pub(crate) async fn put(
        &self,
        entity: &EntityKey,
        revisions: (u64, u64),
        text: &str,
    ) -> Result<StateOutcome, StoreError> {
        let write = self.change(entity, revisions, StateChange::Put(sample::payload(text)));
        Ok(self.store_states(vec![write]).await?[0])
    }
}

/// The lane `entity` writes to.
pub(crate) fn lane_of(events: &dyn EventStore, entity: &EntityKey) -> Lane {
    events.layout().lane_of(entity)
}
