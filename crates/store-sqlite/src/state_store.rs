use crate::{
    SqliteStore, commands, connection::PAGE_BYTES, entities, entity_list, fault::store_error,
    fence, insert, lane_page::LaneRead, ownership, resolve, row::Row, session::Statement,
    state_changes, writer::WriteTx,
};
use actum_model::{EntityKey, Lane, Offset, Position, Revision};
use actum_persistence::store::{
    ChangeFilter, ChangePage, CommandRead, DurableStateStore, EntitySearch, ListedState, Listing,
    PageLimit, Resolution, StateBatch, StateChange, StateOutcome, StateRecord, StateWrite,
    StoreError, StoredCommand, StoredRow, in_order_asked, integer,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

#[async_trait]
impl DurableStateStore for SqliteStore {
    async fn write(&self, batch: &StateBatch) -> Result<Vec<StateOutcome>, StoreError> {
        batch.check(self.layout())?;
        let (doing, names_roles) = ("writing states", batch.names_roles());
        let (mut tx, version) =
            fence::begin(self.writer(), doing, batch.incarnation, names_roles).await?;
        let written = self.write_owned(&mut tx, batch, version).await;
        tx.finish(written).await
    }

    async fn resolve(
        &self,
        batch: &StateBatch,
    ) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
        batch.check(self.layout())?;
        let mut tx = self.writer().begin_relief("settling a state write").await?;
        let settled = resolve::writes(&mut tx, batch).await;
        tx.finish(settled).await
    }

    async fn load(&self, entities: &[EntityKey]) -> Result<Vec<Option<StateRecord>>, StoreError> {
        let query = "SELECT w.key, s.revision, s.incarnation, s.write_nr, s.timestamp,
                s.codec, s.manifest, s.schema_version, s.state, s.recent_commands, s.position
            FROM json_each(?) AS w
            CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
            CROSS JOIN states AS s ON s.entity = e.entity";
        let query = sqlx::query(query).bind(entities::list(entities.iter()));
        let doing = "loading states";
        let mut reader = self.readers().reader(doing).await?;
        let rows = reader.rows(query).await;
        let record = |row: &Row| StateRecord::of_row(row, Vec::new());
        let records = |rows: Vec<Row>| in_order_asked(&rows, entities.len(), record);
        let mut records = rows.and_then(records).map_err(|error| store_error(doing, error))?;
        let found = entities.iter().zip(&mut records);
        let mut found: Vec<_> =
            found.filter_map(|(entity, record)| Some((entity, record.as_mut()?))).collect();
        // behind the states: one that is written meanwhile has no command that is not seen
        let all = found.iter().map(|(entity, _)| (*entity, Revision::new(u64::MAX)));
        let commands = commands::newest(&mut reader, doing, all).await?;
        for ((_, record), commands) in found.iter_mut().zip(commands) {
            record.commands = commands;
        }
        Ok(records)
    }

    async fn list_states(&self, search: &EntitySearch) -> Result<Listing<ListedState>, StoreError> {
        search.check()?;
        let doing = "listing states";
        let mut reader = self.readers().reader(doing).await?;
        let listing = entity_list::states(&mut reader, search).await;
        listing.map_err(|error| store_error(doing, error))
    }

    async fn has_states_of(&self, kind: &str) -> Result<bool, StoreError> {
        // the first entities only: where none has a state, all would be looked at
        let query = "SELECT EXISTS (
            SELECT 1 FROM (SELECT entity FROM entities WHERE kind = ? ORDER BY id LIMIT ?) AS n
            WHERE EXISTS (SELECT 1 FROM states AS s WHERE s.entity = n.entity))";
        self.exists("looking for states of a kind", query, kind).await
    }

    async fn command_records(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.records(reads).await
    }

    async fn commands_before(
        &self,
        reads: &[CommandRead],
    ) -> Result<Vec<Vec<StoredCommand>>, StoreError> {
        let doing = "reading commands";
        let mut reader = self.readers().reader(doing).await?;
        let reads = reads.iter().map(|read| (&read.entity, read.revision));
        commands::newest(&mut reader, doing, reads).await
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
        let doing = "reading changes of states";
        let mut reader = self.readers().reader(doing).await?;
        let page = state_changes::read(&mut reader, LaneRead { lane, after, filter, limit });
        page.await.map_err(|error| store_error(doing, error))
    }

    async fn change_heads(&self) -> Result<Offset, StoreError> {
        let doing = "reading the heads of changes";
        let mut reader = self.readers().reader(doing).await?;
        let heads = state_changes::heads(&mut reader, self.layout()).await;
        heads.map_err(|error| store_error(doing, error))?
    }

    async fn close(&self) {
        SqliteStore::close(self).await;
    }
}

/// What version 1 of the schema kept beside a state.
const NO_RECENT_COMMANDS: &[u8] = &[];

/// A row of the table `states`.
struct NewStateRow<'a> {
    entity: i64,
    incarnation: i64,
    lane: Lane,
    position: i64,
    write: &'a StateWrite,
}

impl SqliteStore {
    /// Writes what belongs to the writer.
    async fn write_owned(
        &self,
        tx: &mut WriteTx<'_>,
        batch: &StateBatch,
        version: Option<i64>,
    ) -> Result<Vec<StateOutcome>, StoreError> {
        let owned = ownership::look(tx, batch.incarnation, version).await?;
        let owns = |role: &Arc<str>, at| owned.as_ref().is_some_and(|owned| owned.has(role, at));
        let part = batch.owned_part(owns);
        let written = self.write_in(tx, part.batch()).await?;
        Ok(part.state_outcomes(written))
    }

    async fn write_in(
        &self,
        tx: &mut WriteTx<'_>,
        batch: &StateBatch,
    ) -> Result<Vec<StateOutcome>, StoreError> {
        let known = revisions(tx, batch).await?;
        let outcome = |(write, actual): (&StateWrite, Revision)| write.outcome_at(actual);
        let outcomes: Vec<_> = batch.writes.iter().zip(known).map(outcome).collect();
        let fits = |(_, outcome): &(&StateWrite, &StateOutcome)| **outcome == StateOutcome::Written;
        let writes: Vec<_> =
            batch.writes.iter().zip(&outcomes).filter(fits).map(|(write, _)| write).collect();
        let keys: Vec<_> = writes.iter().map(|write| &write.entity).collect();
        let entities = entities::keys_of(tx, &keys, self.layout().partitions).await?;
        let incarnation = integer::incarnation(batch.incarnation)?;
        let places = state_changes::positions_for(tx, self.layout(), &writes).await?;
        let row = |((write, entity), (lane, position)): ((_, _), (_, Position))| {
            let position = integer::bound(position.get());
            NewStateRow { entity, incarnation, lane, position, write }
        };
        let rows: Vec<_> = writes.into_iter().zip(entities).zip(places).map(row).collect();
        let inserted = insert::STATES.run(tx.session(), &rows, bind).await;
        inserted.map_err(|error| tx.failed(error))?;
        // each lies somewhere else, and so does where it was among the changes
        tx.will_write(rows.iter().map(|row| 2 * PAGE_BYTES + row.write.bytes() as u64).sum());
        let written: Vec<_> = rows.iter().map(|row| (row.write, row.entity)).collect();
        commands::keep(tx, &written, incarnation).await?;
        Ok(outcomes)
    }
}

/// The revisions the entities of a batch have; zero for one that was never written.
async fn revisions(tx: &mut WriteTx<'_>, batch: &StateBatch) -> Result<Vec<Revision>, StoreError> {
    let query = "SELECT w.key, s.revision
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        CROSS JOIN states AS s ON s.entity = e.entity";
    let list = entities::list(batch.writes.iter().map(|write| &write.entity));
    let rows = tx.rows(sqlx::query(query).bind(list)).await?;
    let found = in_order_asked(&rows, batch.writes.len(), |row| row.revision(1));
    let found = found.map_err(|error| tx.failed(error))?;
    Ok(found.into_iter().map(|revision| revision.unwrap_or(Revision::ZERO)).collect())
}

fn bind<'q>(statement: Statement<'q>, row: &'q NewStateRow<'_>) -> Statement<'q> {
    let write = row.write;
    let state = match &write.change {
        StateChange::Put(state) => Some(state),
        StateChange::Delete => None,
    };
    statement
        .bind(row.entity)
        .bind(integer::bound(write.revision.get()))
        .bind(row.incarnation)
        .bind(write.write_nr.cast_signed())
        .bind(write.timestamp.as_micros())
        .bind(state.map(|state| state.codec.as_ref()))
        .bind(state.map(|state| state.manifest.as_ref()))
        .bind(state.map(|state| i64::from(state.schema_version)))
        .bind(state.map(|state| state.bytes.as_ref()))
        .bind(NO_RECENT_COMMANDS)
        .bind(row.lane.nr())
        .bind(row.position)
}
