use crate::{
    SqliteStore,
    append::{AppendError, Appended, Appending},
    append_after::Following,
    backward, entity_list, entity_pages,
    fault::store_error,
    fence::{self, LaneStart},
    lane_page::{self, LaneRead},
    ownership,
    readers::Reader,
    resolve,
    retention::{self, PrunedLane},
    room::Need,
    row::column,
    writer::WriteTx,
};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::store::{
    Answered, AppendBatch, AppendOutcome, EntityPage, EntityRead, EntitySearch, EventDeletion,
    EventFilter, EventStore, Incarnation, JournalLayout, KIND_SAMPLE, LanePage, ListedEntity,
    Listing, OwnedPart, PageLimit, Resolution, StoreError, Wanted,
};
use async_trait::async_trait;
use std::sync::Arc;

const APPENDING: &str = "appending events";

#[async_trait]
impl EventStore for SqliteStore {
    fn layout(&self) -> JournalLayout {
        SqliteStore::layout(self)
    }

    async fn append(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, StoreError> {
        batch.check(self.layout())?;
        match self.append_alone(batch).await {
            Ok(Some(outcomes)) => return Ok(outcomes),
            Ok(None) | Err(AppendError::Taken(_)) => {}
            Err(AppendError::Store(error)) => return Err(error),
        }
        match self.append_once(batch).await {
            // what is remembered of the heads was wrong, and is forgotten: this time they are read
            Err(AppendError::Taken(_)) => self.append_once(batch).await,
            done => done,
        }
        .map_err(StoreError::from)
    }

    async fn resolve(
        &self,
        batch: &AppendBatch,
    ) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
        batch.check(self.layout())?;
        let mut tx = self.writer().begin_relief("settling an append").await?;
        let settled = resolve::appends(&mut tx, batch, self.places()).await;
        tx.finish(settled).await
    }

    async fn read_entities(
        &self,
        reads: &[EntityRead],
        limit: PageLimit,
    ) -> Result<Vec<EntityPage>, StoreError> {
        let doing = "reading entities";
        let mut reader = self.readers().reader(doing).await?;
        let wanted: Vec<_> = reads.iter().map(Wanted::from).collect();
        let pages = entity_pages::read(&mut reader, &wanted, limit, self.places()).await;
        let pages = pages.map_err(|error| store_error(doing, error))?;
        Ok(pages.into_iter().map(Answered::into_page).collect())
    }

    async fn read_backward(
        &self,
        entity: &EntityKey,
        before: SequenceNr,
        limit: PageLimit,
    ) -> Result<EntityPage, StoreError> {
        let doing = "reading an entity backward";
        let mut reader = self.readers().reader(doing).await?;
        let page = backward::read(&mut reader, entity, before, limit, self.places()).await;
        page.map_err(|error| store_error(doing, error))
    }

    async fn list_entities(
        &self,
        search: &EntitySearch,
    ) -> Result<Listing<ListedEntity>, StoreError> {
        search.check()?;
        let doing = "listing entities";
        let mut reader = self.readers().reader(doing).await?;
        let listing = entity_list::events(&mut reader, search).await;
        listing.map_err(|error| store_error(doing, error))
    }

    async fn kinds(&self) -> Result<Vec<String>, StoreError> {
        let doing = "listing kinds";
        let mut reader = self.readers().reader(doing).await?;
        let kinds = entity_list::kinds(&mut reader).await;
        kinds.map_err(|error| store_error(doing, error))
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
        let doing = "reading a lane";
        let mut reader = self.readers().reader(doing).await?;
        let read = LaneRead { lane, after, filter, limit };
        let page = lane_page::read(&mut reader, read, self.places()).await;
        page.map_err(|error| store_error(doing, error))
    }

    async fn heads(&self) -> Result<Offset, StoreError> {
        let doing = "reading the heads";
        let mut reader = self.readers().reader(doing).await?;
        let heads = self.read_heads(&mut reader).await;
        self.layout().offset_of(heads.map_err(|error| store_error(doing, error))?)
    }

    async fn has_events_of(&self, kind: &str) -> Result<bool, StoreError> {
        // the first entities only: where none has events, all would be looked at
        let query = "SELECT EXISTS (
            SELECT 1 FROM (SELECT entity, floor FROM entities WHERE kind = ? ORDER BY id LIMIT ?) AS n
            WHERE n.floor <> 0 OR EXISTS (SELECT 1 FROM events AS e WHERE e.entity = n.entity))";
        self.exists("looking for events of a kind", query, kind).await
    }

    async fn prune_events(
        &self,
        incarnation: Incarnation,
        deletions: &[EventDeletion],
    ) -> Result<(), StoreError> {
        EventDeletion::check_all(deletions)?;
        let layout = self.layout();
        let lane_of = |deletion: &&EventDeletion| layout.lane_of(&deletion.entity);
        let mut sorted: Vec<_> = deletions.iter().collect();
        sorted.sort_by_key(lane_of);
        for rest in sorted.chunk_by_mut(|a, b| lane_of(a) == lane_of(b)) {
            let (lane, mut rest) = ((lane_of(&rest[0]), self.places()), &*rest);
            while !rest.is_empty() {
                let (doing, writer) = (("deleting events", Need::Relief), (incarnation, false));
                let (mut tx, start) =
                    fence::begin_in_lane(self.writer(), doing, writer, lane).await?;
                let lane = PrunedLane { lane: lane.0, places: lane.1, head: start.head };
                let done = retention::delete_events(&mut tx, lane, rest).await;
                rest = &rest[tx.finish(done).await?..];
            }
        }
        Ok(())
    }

    async fn close(&self) {
        SqliteStore::close(self).await;
    }
}

impl SqliteStore {
    /// Stores a batch of one event by one statement, where nothing has to be read first; none otherwise.
    pub(crate) async fn append_alone(
        &self,
        batch: &AppendBatch,
    ) -> Result<Option<Vec<AppendOutcome>>, AppendError> {
        if !Following::may_be(batch) {
            return Ok(None);
        }
        let Some(mut tx) = self.writer().unbegun(APPENDING).await? else { return Ok(None) };
        let version = match batch.names_roles() {
            false => None,
            true => match tx.owners().version_for(batch) {
                None => return Ok(None),
                known => known,
            },
        };
        let append = Following::of(batch, tx.known(), self.places(), version);
        let Some(append) = append else { return Ok(None) };
        let done = append.run(&mut tx).await;
        if let Err(AppendError::Taken(_)) = done {
            tx.known().doubt();
        }
        done
    }

    async fn append_once(&self, batch: &AppendBatch) -> Result<Vec<AppendOutcome>, AppendError> {
        let (doing, lane) = ((APPENDING, Need::Growth), (batch.lane, self.places()));
        let writer = (batch.incarnation, batch.names_roles());
        let (mut tx, start) = fence::begin_in_lane(self.writer(), doing, writer, lane).await?;
        let appended = self.append_in(&mut tx, batch, &start).await;
        let appended = tx.finish(appended).await;
        match &appended {
            Ok((owned, appended)) => appended.remember(owned.batch(), tx.known()),
            Err(AppendError::Taken(_)) => tx.known().doubt(),
            Err(AppendError::Store(_)) => {}
        }
        appended.map(|(owned, appended)| owned.append_outcomes(appended.outcomes))
    }

    /// Appends what belongs to the writer, and says what that is.
    async fn append_in<'a>(
        &self,
        tx: &mut WriteTx<'_>,
        batch: &'a AppendBatch,
        start: &LaneStart,
    ) -> Result<(OwnedPart<'a, AppendBatch>, Appended), AppendError> {
        let owned = ownership::look(tx, batch.incarnation, start.version).await?;
        let owns = |role: &Arc<str>, at| owned.as_ref().is_some_and(|owned| owned.has(role, at));
        let part = batch.owned_part(owns);
        let (batch, head) = (part.batch(), start.head);
        let (places, partitions) = (self.places(), self.layout().partitions);
        let appended = Appending { batch, head, places, partitions }.run(tx).await?;
        Ok((part, appended))
    }

    /// What a query about the first entities of a kind says.
    pub(crate) async fn exists(
        &self,
        doing: &str,
        query: &'static str,
        kind: &str,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(query).bind(kind).bind(KIND_SAMPLE);
        let rows = self.readers().reader(doing).await?.rows(query).await;
        let exists = |rows: Vec<_>| column(rows.first().ok_or(sqlx::Error::RowNotFound)?, 0);
        rows.and_then(exists).map_err(|error| store_error(doing, error))
    }

    async fn read_heads(&self, reader: &mut Reader<'_>) -> Result<Vec<Position>, sqlx::Error> {
        let places = self.places();
        let query = "SELECT lane, (SELECT max(place) FROM events WHERE place BETWEEN (lane << ?1) AND (lane << ?1) + ?2),
                kept
            FROM lanes ORDER BY lane";
        let query = sqlx::query(query).bind(places.position_bits());
        let rows = reader.rows(query.bind(places.position_max())).await?;
        rows.iter().map(|row| fence::lane_head(row, 1, places)).collect()
    }
}
