use crate::account::{Account, account_id, deposited};
use actum::{
    Entity, EntityKey, Lane, PartitionCount, SequenceNr, StoredPayload, Timestamp,
    store::{AppendBatch, AppendOutcome, EntityAppend, EventStore, Incarnation, NewEvent},
};
use anyhow::{Result, bail};
use std::sync::Arc;

/// A handle that alone writes to its entities.
pub(super) struct AppendHandle {
    pub(super) store: Arc<dyn EventStore>,
    incarnation: Incarnation,
    entities: Vec<(EntityKey, SequenceNr)>,
    /// The next of them.
    next: usize,
    batch: usize,
    payload: StoredPayload,
    event_nr: u64,
    /// The role it writes in, as a member of a cluster.
    owned_as: Option<Arc<str>>,
}

impl AppendHandle {
    /// One whose batches have an event of each of so many of `entities`, numbered from `event_nr` on.
    pub(super) fn new(
        store: Arc<dyn EventStore>,
        incarnation: Incarnation,
        entities: impl Iterator<Item = u32>,
        batch: usize,
        event_nr: u64,
    ) -> Result<Self> {
        let entity = |nr| Ok((EntityKey::new(Account::KIND, account_id(nr))?, SequenceNr::ZERO));
        let mut entities = entities.map(entity).collect::<Result<Vec<_>>>()?;
        fastrand::Rng::with_seed(7).shuffle(&mut entities);
        let payload = StoredPayload::encode(&deposited(42, 1 << 40))?;
        let (next, owned_as) = (0, None);
        Ok(Self { store, incarnation, entities, next, batch, payload, event_nr, owned_as })
    }

    /// Writes as an owner of partitions.
    pub(super) fn owning(self, role: &str) -> Self {
        Self { owned_as: Some(role.into()), ..self }
    }

    pub(super) async fn append(&mut self) -> Result<()> {
        let appends = (0..self.batch).map(|_| self.next_append()).collect();
        let batch = AppendBatch { lane: Lane::new(0), incarnation: self.incarnation, appends };
        let outcomes = self.store.append(&batch).await?;
        let stored = |outcome: &AppendOutcome| matches!(outcome, AppendOutcome::Appended { .. });
        if outcomes.iter().all(stored) { Ok(()) } else { bail!("entities of its own conflict") }
    }

    fn next_append(&mut self) -> EntityAppend {
        let count = self.entities.len();
        let (entity, head) = &mut self.entities[self.next];
        let expected = *head;
        *head = head.next();
        let event = NewEvent {
            timestamp: Timestamp::from_micros(1_700_000_000_000_000),
            payload: self.payload.clone(),
            metadata: Default::default(),
        };
        self.next = (self.next + 1) % count;
        self.event_nr += 1;
        EntityAppend {
            entity: entity.clone(),
            partition: entity.partition(PartitionCount::default()),
            owned_as: self.owned_as.clone(),
            expected,
            first_event_nr: self.event_nr,
            events: vec![event],
        }
    }
}
