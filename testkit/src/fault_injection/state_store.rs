use super::{
    FaultStore, Operation,
    call::Call,
    fault::{Act, unknown},
};
use actum_model::{EntityKey, Lane, Offset, Position};
use actum_persistence::store::{
    ChangeFilter, ChangePage, CommandRead, DurableStateStore, EntitySearch, ListedState, Listing,
    PageLimit, Resolution, StateBatch, StateOutcome, StateRecord, StoreError, StoredCommand,
};
use async_trait::async_trait;
use bytes::Bytes;

#[async_trait]
impl DurableStateStore for FaultStore {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        let call = Call::begin(&self.faults, Operation::WriteStates);
        self.faults.script().counts.state_writes += batch.writes.len() as u64;
        call.held_before().await;
        match &call.fault.act {
            Act::ForeignWriter(payload) => {
                self.write_as_foreign_writer(batch, payload.as_ref()).await?;
            }
            Act::Revoke => self.stores().writers.revoke(batch.incarnation).await?,
            Act::CommitLate => {
                self.faults.script().late_states.push(batch.clone());
                return call.run_now(async { Err(unknown()) }).await;
            }
            _ => {}
        }
        call.run_now(self.stores().states.write(batch)).await
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ResolveStates);
        let settle = async {
            self.commit_late_states(batch).await?;
            self.stores().states.resolve(batch).await
        };
        call.run(settle).await
    }

    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::LoadStates);
        let records = call.read(self.stores().states.load(entities)).await?;
        self.count_read(entities.len(), 0);
        Ok(records)
    }

    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ListStates);
        call.run(self.stores().states.list_states(search)).await
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        let call = Call::begin(&self.faults, Operation::HasStatesOf);
        call.run(self.stores().states.has_states_of(kind)).await
    }

    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadCommands);
        call.run(self.stores().states.command_records(reads)).await
    }

    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadCommands);
        call.run(self.stores().states.commands_before(reads)).await
    }

    async fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> Result<ChangePage, StoreError> {
        let call = Call::begin(&self.faults, Operation::ReadChanges);
        call.run(self.stores().states.read_changes(lane, after, filter, limit)).await
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        let call = Call::begin(&self.faults, Operation::ChangeHeads);
        call.run(self.stores().states.change_heads()).await
    }

    async fn close(&self) {
        self.stores().states.close().await;
    }
}

impl FaultStore {
    /// Lets a write land that was still on its way.
    async fn commit_late_states(&self, batch: &StateBatch) -> Result<(), StoreError> {
        let late = {
            let mut script = self.faults.script();
            let place = script.late_states.iter().position(|late| is_same(late, batch));
            place.map(|place| script.late_states.remove(place))
        };
        match late {
            None => Ok(()),
            Some(late) => match self.stores().states.write(&late).await {
                // a write that was fenced meanwhile lands nowhere, and that is its resolution
                Ok(_) | Err(StoreError::Fenced { .. }) => Ok(()),
                Err(error) => {
                    self.faults.script().late_states.push(late);
                    Err(error)
                }
            },
        }
    }
}

/// Whether two batches are one: a number is used once by an incarnation.
fn is_same(a: &StateBatch, b: &StateBatch) -> bool {
    let first = |batch: &StateBatch| batch.writes.first().map(|write| write.write_nr);
    a.incarnation == b.incarnation && first(a) == first(b)
}
