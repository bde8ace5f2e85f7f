use crate::{
    PostgresStore, append, backward, entity_list, entity_pages,
    fault::store_error,
    lane_page::{self, LaneRead},
    resolve, retention,
    row::column,
};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    Answered, AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion,
    EventFilter, EventStore, Incarnation, JournalLayout, KIND_SAMPLE, LanePage, ListedEntity,
    Listing, PageLimit, Resolution, StoreError, StoredRow, Wanted,
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
        let wanted: Vec<_> = reads.iter().map(Wanted::from).collect();
        let pages = entity_pages::read(&self.shared, "reading entities", &wanted, limit).await?;
        Ok(pages.into_iter().map(Answered::into_page).collect())
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        backward::read(&self.shared, entity, before, limit).await
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        search.check()?;
        entity_list::events(&self.shared, search).await
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        entity_list::kinds(&self.shared).await
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
        let heads: Result<Vec<_>, _> =
            rows.iter().map(|row| row.count(0).map(Position::new)).collect();
        self.layout().offset_of(heads.map_err(|error| store_error(doing, error))?)
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        // the first entities only: where none has events, all would be looked at
        let query = "SELECT EXISTS (
            SELECT FROM (
                SELECT n.entity, n.floor FROM @entities AS n WHERE n.kind = $1 ORDER BY n.kind, n.id LIMIT $2
            ) AS n
            LEFT JOIN LATERAL (
                SELECT e.entity FROM @events AS e WHERE e.entity = n.entity ORDER BY e.sequence_nr LIMIT 1
            ) AS e ON TRUE
            WHERE n.floor <> 0 OR e.entity IS NOT NULL)";
        self.exists("looking for events of a kind", query, kind).await
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        EventDeletion::check_all(deletions)?;
        retention::delete_events(&self.shared, incarnation, self.layout(), deletions).await
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }
}

impl PostgresStore {
    /// What a query about the first entities of a kind says.
    pub(crate) async fn exists(
        &self,
        doing: &str,
        query: &'static str,
        kind: &str,
    ) -> Result<bool, StoreError> {
        let statement =
            || sqlx::query(self.shared.texts.of(query)).bind(kind).bind(i64::from(KIND_SAMPLE));
        let rows = self.shared.connections.read(doing, statement).await?;
        let exists = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(|row| column(row, 0));
        exists.map_err(|error| store_error(doing, error))
    }
}
