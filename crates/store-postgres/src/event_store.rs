use crate::{
    PostgresStore, append,
    entity_pages::{self, Wanted},
    fault::store_error,
    lane_page::{self, LaneRead},
    resolve, retention, values,
};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityPage, EntityRead, EventFilter, EventStore, Incarnation,
    JournalLayout, LanePage, PageLimit, Resolution, StoreError,
};
use async_trait::async_trait;

#[async_trait]
impl EventStore for PostgresStore {
    fn layout(&self) -> JournalLayout {
        PostgresStore::layout(self)
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        batch.check(self.layout())?;
        let lane = self.lane(batch.lane);
        let mut turn = lane.turn(&self.shared.connections, "appending events").await?;
        append::append(&self.shared, turn.parts(), batch).await
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        batch.check(self.layout())?;
        resolve::appends(&self.shared, batch).await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        let wanted = reads.iter().map(|EntityRead { entity, after }| Wanted {
            entity,
            after: *after,
            snapshot: false,
        });
        let wanted: Vec<_> = wanted.collect();
        let pages = entity_pages::read(&self.shared, "reading entities", &wanted, limit).await?;
        Ok(pages.into_iter().map(|recovered| recovered.page).collect())
    }

    async fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Result<LanePage, StoreError> {
        self.layout().check_lane(lane)?;
        filter.check()?;
        lane_page::read(&self.shared, LaneRead { lane, after, filter, limit }).await
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        let doing = "reading the heads";
        let query = "SELECT coalesce((
                SELECT e.position FROM @events AS e
                WHERE e.lane = l.lane AND e.position > l.kept ORDER BY e.position DESC LIMIT 1
            ), l.kept)
            FROM @lanes AS l ORDER BY l.lane";
        let read = || sqlx::query(self.shared.texts.of(query));
        let rows = self.shared.connections.read(doing, read).await?;
        if rows.len() != usize::from(self.layout().lanes.get()) {
            return Err(StoreError::corrupt("the journal does not know all of its lanes"));
        }
        let heads: Result<Vec<Position>, _> =
            rows.iter().map(|row| values::count(row, 0).map(Position::new)).collect();
        heads.map(Offset::of_positions).map_err(|error| store_error(doing, error))
    }

    async fn delete_events(
        &self,
        incarnation: Incarnation,
        entity: &EntityKey,
        up_to: SequenceNr,
    ) -> Result<(), StoreError> {
        let of = (self.layout().lane_of(entity), entity);
        while retention::delete_some(&self.shared, incarnation, of, up_to).await? < up_to {}
        Ok(())
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }
}
