use crate::{MemoryStore, entity_list::EntityList};
use actum_model::{EntityKey, Lane, Offset, Position};
use actum_persistence::store::{
    ChangeFilter, ChangePage, CommandRead, DurableStateStore, EntitySearch, ListedState, Listing,
    PageLimit, Resolution, StateBatch, StateOutcome, StateRecord, StoreError, StoredCommand,
};
use async_trait::async_trait;
use bytes::Bytes;

#[async_trait]
impl DurableStateStore for MemoryStore {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        batch.check(self.layout())?;
        let fence = self.writing_as(batch.incarnation, "writing states")?;
        let mut states = self.states().write();
        let owned = batch.owned_part(fence.owner_of(batch.incarnation));
        let writes = owned.batch().writes.iter();
        let outcomes = writes.map(|write| states.write(write, batch.incarnation)).collect();
        Ok(owned.state_outcomes(outcomes))
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
        Ok(entities.iter().map(|entity| states.load(entity)).collect())
    }

    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.check_open("reading commands")?;
        let states = self.states().read();
        Ok(reads.iter().map(|read| states.command_record(read)).collect())
    }

    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        self.check_open("reading commands")?;
        let states = self.states().read();
        Ok(reads.iter().map(|read| states.commands_before(read)).collect())
    }

    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        search.check()?;
        self.check_open("listing states")?;
        let mut list = EntityList::new(search);
        list.add_tables(|table| self.states().read().list(table, search));
        Ok(list.finish())
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.check_open("looking for states of a kind")?;
        Ok(self.states().read().has_of_kind(kind))
    }

    async fn read_changes(
        &self,
        lane: Lane,
        after: Position,
        filter: &ChangeFilter,
        limit: PageLimit,
    ) -> Result<ChangePage, StoreError> {
        self.layout().check_lane(lane)?;
        filter.check()?;
        self.check_open("reading changes of states")?;
        Ok(self.states().read().read_changes(lane, after, filter, limit))
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        self.check_open("reading the heads of changes")?;
        Ok(self.states().read().change_heads())
    }

    async fn close(&self) {
        self.close_handle();
    }
}
