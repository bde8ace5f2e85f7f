use crate::{MemoryStore, entity_list::EntityList};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion, EventFilter,
    EventStore, Incarnation, JournalLayout, LanePage, ListedEntity, Listing, PageLimit, Resolution,
    StoreError, bounds::KINDS_LISTED_MAX,
};
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl EventStore for MemoryStore {
    fn layout(&self) -> JournalLayout {
        MemoryStore::layout(self)
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        batch.check(self.layout())?;
        let fence = self.writing_as(batch.incarnation, "appending events")?;
        let lane = self.lane(batch.lane)?;
        let owned = batch.owned_part(fence.owner_of(batch.incarnation));
        let outcomes = lane.write().append(owned.batch());
        Ok(owned.append_outcomes(outcomes))
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        batch.check(self.layout())?;
        self.check_open("settling an append")?;
        let lane = self.lane(batch.lane)?;
        // an append commits while it holds the lane, so whatever was sent before is done or will never be
        let lane = lane.read();
        let found = batch.appends.iter().map(|append| lane.resolve(append, batch.incarnation));
        Ok(found.collect())
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        self.check_open("reading entities")?;
        let page = |read: &EntityRead| {
            self.lane_of(&read.entity).read().read_entity(&read.entity, read.after, limit)
        };
        Ok(reads.iter().map(page).collect())
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        self.check_open("reading an entity backward")?;
        let page = self.lane_of(entity).read().read_backward(entity, before, limit);
        page.map_err(|error| StoreError::corrupt(error.to_string()))
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        search.check()?;
        self.check_open("listing entities")?;
        let mut list = EntityList::new(search);
        for lane in self.lanes() {
            list.add_tables(|table| lane.read().list(table, search));
        }
        Ok(list.finish())
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        self.check_open("listing kinds")?;
        let mut kinds = BTreeSet::new();
        (0..).map_while(|table| self.states().read().kinds(table)).for_each(|of| kinds.extend(of));
        for lane in self.lanes() {
            (0..).map_while(|table| lane.read().kinds(table)).for_each(|of| kinds.extend(of));
        }
        Ok(kinds.into_iter().take(KINDS_LISTED_MAX).collect())
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        filter.check()?;
        self.check_open("reading a lane")?;
        let lane = self.lane(lane)?;
        Ok(lane.read().read(after, filter, limit))
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        self.check_open("reading the heads")?;
        let heads: Vec<Position> = self.lanes().iter().map(|lane| lane.read().head()).collect();
        Ok(Offset::of_positions(heads))
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        self.check_open("looking for events of a kind")?;
        Ok(self.lanes().iter().any(|lane| lane.read().has_events_of(kind)))
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        EventDeletion::check_all(deletions)?;
        let _fence = self.writing_as(incarnation, "deleting events")?;
        deletions
            .iter()
            .try_for_each(|deletion| self.lane_of(&deletion.entity).write().delete(deletion))
    }

    async fn close(&self) {
        self.close_handle();
    }
}
