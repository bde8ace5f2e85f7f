use crate::{
    MemoryStore,
    entity_table::{EntityTable, Place},
};
use actum_model::{EntityKey, Revision};
use actum_persistence::store::{
    DurableStateStore, EventId, Incarnation, Resolution, StateBatch, StateChange, StateOutcome,
    StateRecord, StateWrite, StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl DurableStateStore for MemoryStore {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        batch.check(self.layout())?;
        let _fence = self.writing_as(batch.incarnation, "writing states")?;
        let mut states = self.states().write();
        Ok(batch.writes.iter().map(|write| states.write(write, batch.incarnation)).collect())
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        batch.check(self.layout())?;
        self.check_open("settling a state write")?;
        let states = self.states().read();
        let found = batch.writes.iter().map(|write| states.resolve(write, batch.incarnation));
        Ok(found.collect())
    }

    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        self.check_open("loading states")?;
        let states = self.states().read();
        Ok(entities.iter().map(|entity| states.records.find(entity).cloned()).collect())
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.check_open("looking for states of a kind")?;
        Ok(self.states().read().records.has_of_kind(kind, |_| true))
    }

    async fn close(&self) {
        self.close_handle();
    }
}

/// The durable states of all entities.
pub(crate) struct States {
    records: EntityTable<StateRecord>,
}

impl States {
    fn write(&mut self, write: &StateWrite, incarnation: Incarnation) -> StateOutcome {
        let place = self.records.place(&write.entity);
        let actual = place.value().map_or(Revision::ZERO, |record| record.revision);
        if actual != write.expected {
            return StateOutcome::Conflict { actual };
        }
        let record = record_of(write, incarnation);
        match place {
            Place::Known(mut entry) => entry.get_mut().1 = record,
            Place::Free(entry) => drop(entry.insert((write.entity.clone(), record))),
        }
        StateOutcome::Written
    }

    fn resolve(&self, write: &StateWrite, incarnation: Incarnation) -> Resolution<StateOutcome> {
        let Some(record) = self.records.find(&write.entity) else { return Resolution::NotStored };
        if record.write_id == write_id(write, incarnation) {
            return Resolution::Stored(StateOutcome::Written);
        }
        if record.revision <= write.revision {
            return Resolution::NotStored; // revisions only grow: the write was never there
        }
        let (entity, revision) = (&write.entity, record.revision);
        Resolution::Untraceable {
            why: format!("{entity} was written again, up to revision {revision}"),
        }
    }
}

impl Default for States {
    fn default() -> Self {
        Self { records: EntityTable::new(256) }
    }
}

fn record_of(write: &StateWrite, incarnation: Incarnation) -> StateRecord {
    StateRecord {
        revision: write.revision,
        timestamp: write.timestamp,
        state: match &write.change {
            StateChange::Put(state) => Some(state.clone()),
            StateChange::Delete => None,
        },
        recent_commands: write.recent_commands.clone(),
        write_id: write_id(write, incarnation),
    }
}

fn write_id(write: &StateWrite, incarnation: Incarnation) -> EventId {
    EventId { incarnation, nr: write.write_nr }
}
