//! The foreign writer: another writer in the same journal, with an incarnation of its own, who comes first.

use super::FaultStore;
use actum_model::StoredPayload;
use actum_persistence::store::{
    AppendBatch, ClaimError, EntityAppend, Incarnation, NewEvent, StateBatch, StateChange,
    StateWrite, StoreError, WriterClaim,
};
use bytes::Bytes;
use std::time::Duration;

/// How many foreign writers may have written to one journal: each [`Faults`](super::Faults) has its own.
const FOREIGN_WRITERS_MAX: usize = 1000;

/// Longer than any test.
const LEASE: Duration = Duration::from_secs(86_400);

impl FaultStore {
    /// Appends an event to the first entity of `batch`. If the entity is not where the batch expects it, nothing needs
    /// to be done: the batch gets its conflict anyway.
    pub(super) async fn append_as_foreign_writer(
        &self,
        batch: &AppendBatch,
        payload: Option<&StoredPayload>,
    ) -> Result<(), StoreError> {
        let Some((append, first)) =
            batch.appends.first().and_then(|a| Some((a, a.events.first()?)))
        else {
            return Ok(()); // the store below refuses the batch
        };
        let (incarnation, nr) = self.foreign_writer().await?;
        let payload = payload.unwrap_or(&first.payload).clone();
        let event = NewEvent { payload, metadata: Bytes::new(), ..*first };
        // it owns nothing, wherever it writes
        let (owned_as, events) = (None, vec![event]);
        let append = EntityAppend { owned_as, first_event_nr: nr, events, ..append.clone() };
        let batch = AppendBatch { lane: batch.lane, incarnation, appends: vec![append] };
        self.stores().events.append(&batch).await.map(drop)
    }

    /// As [`append_as_foreign_writer`](Self::append_as_foreign_writer), for a durable state.
    pub(super) async fn write_as_foreign_writer(
        &self,
        batch: &StateBatch,
        payload: Option<&StoredPayload>,
    ) -> Result<(), StoreError> {
        let Some(write) = batch.writes.first() else { return Ok(()) };
        let (incarnation, write_nr) = self.foreign_writer().await?;
        let change = payload.map_or_else(|| write.change.clone(), |p| StateChange::Put(p.clone()));
        let (revision, commands, owned_as) = (write.expected.next(), Vec::new(), None);
        let write = StateWrite { owned_as, revision, write_nr, change, commands, ..write.clone() };
        self.stores().states.write(&StateBatch { incarnation, writes: vec![write] }).await.map(drop)
    }

    /// The foreign writer's incarnation, and a number it has not used.
    async fn foreign_writer(&self) -> Result<(Incarnation, u64), StoreError> {
        let known = self.faults.script().foreign_writer.incarnation;
        let incarnation = match known {
            Some(incarnation) => incarnation,
            None => self.claim_foreign_writer().await?,
        };
        let mut script = self.faults.script();
        let writer = &mut script.foreign_writer;
        writer.incarnation = Some(incarnation);
        writer.writes += 1;
        Ok((incarnation, writer.writes))
    }

    /// Claims a slot of its own, so that the foreign writer fences no one.
    async fn claim_foreign_writer(&self) -> Result<Incarnation, StoreError> {
        let mut held = None;
        for nr in 1..=FOREIGN_WRITERS_MAX {
            let (slot, holder) = (format!("foreign writer {nr}"), "a foreign writer".to_owned());
            let claim = WriterClaim { slot, holder, lease: LEASE, replaces: None };
            match self.stores().writers.claim(&claim).await {
                Ok(incarnation) => return Ok(incarnation),
                Err(ClaimError::Store(error)) => return Err(error),
                Err(error) => held = Some(error),
            }
        }
        let held = held.map_or_else(|| "no slot".to_owned(), |error| error.to_string());
        Err(StoreError::unavailable("claiming a slot for a foreign writer", held))
    }
}
