use crate::{
    SqliteStore, entities, entity_pages::snapshot, fault::store_error, insert, session::Statement,
    values, writer::WriteTx,
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::collections::HashMap;

#[async_trait]
impl SnapshotStore for SqliteStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        Snapshot::check_all(snapshots)?;
        let mut tx = self.writer().begin("saving snapshots").await?;
        let saved = self.save_in(&mut tx, snapshots).await;
        tx.finish(saved).await
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        // the columns as entity_pages.rs has them
        let query = "SELECT NULL, s.sequence_nr, NULL, NULL, NULL,
                s.timestamp, s.codec, s.manifest, s.schema_version, s.state, s.recent_commands
            FROM entities AS e CROSS JOIN snapshots AS s ON s.entity = e.entity AND s.sequence_nr <= ?
            WHERE e.kind = ? AND e.id = ?
            ORDER BY s.sequence_nr DESC LIMIT 1";
        let query = sqlx::query(query).bind(values::bound(at_most.get()));
        let query = query.bind(entity.kind()).bind(entity.id());
        let doing = "loading a snapshot";
        let rows = self.readers().reader(doing).await?.rows(query).await;
        let found = rows.and_then(|rows| rows.first().map(|row| snapshot(row, entity)).transpose());
        found.map_err(|error| store_error(doing, error))
    }

    async fn prune(&self, entity: &EntityKey, keep: u32) -> Result<Option<SequenceNr>, StoreError> {
        let mut tx = self.writer().begin("pruning snapshots").await?;
        let pruned = prune_in(&mut tx, entity, keep).await;
        tx.finish(pruned).await
    }

    async fn close(&self) {
        SqliteStore::close(self).await;
    }
}

/// A row of the table `snapshots`.
struct Row<'a> {
    entity: i64,
    sequence_nr: i64,
    snapshot: &'a Snapshot,
}

impl SqliteStore {
    async fn save_in(
        &self,
        tx: &mut WriteTx<'_>,
        snapshots: &[Snapshot],
    ) -> Result<(), StoreError> {
        let mut places: HashMap<&EntityKey, usize> = HashMap::with_capacity(snapshots.len());
        let mut keys = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots {
            places.entry(&snapshot.entity).or_insert_with(|| {
                keys.push(&snapshot.entity);
                keys.len() - 1
            });
        }
        let entities = entities::keys_of(tx, &keys, self.layout().partitions).await?;
        let row = |snapshot| row(snapshot, entities[places[&snapshot.entity]]);
        let rows: Vec<Row<'_>> = snapshots.iter().map(row).collect::<Result<_, _>>()?;
        let inserted = insert::SNAPSHOTS.run(tx.session(), &rows, bind).await;
        inserted.map_err(|error| tx.failed(error))?;
        let bytes = snapshots.iter().map(|s| s.state.bytes.len() + s.recent_commands.len());
        tx.will_write(bytes.sum::<usize>() as u64);
        Ok(())
    }
}

fn row(snapshot: &Snapshot, entity: i64) -> Result<Row<'_>, StoreError> {
    let sequence_nr = values::stored(snapshot.sequence_nr.get()).ok_or_else(|| {
        let (entity, nr) = (&snapshot.entity, snapshot.sequence_nr);
        StoreError::invalid(format!("{entity} cannot have an event {nr} to take a snapshot of"))
    })?;
    Ok(Row { entity, sequence_nr, snapshot })
}

fn bind<'q>(statement: Statement<'q>, row: &'q Row<'_>) -> Statement<'q> {
    let state = &row.snapshot.state;
    statement
        .bind(row.entity)
        .bind(row.sequence_nr)
        .bind(row.snapshot.timestamp.as_micros())
        .bind(state.codec.as_ref())
        .bind(state.manifest.as_ref())
        .bind(i64::from(state.schema_version))
        .bind(state.bytes.as_ref())
        .bind(row.snapshot.recent_commands.as_ref())
}

async fn prune_in(
    tx: &mut WriteTx<'_>,
    entity: &EntityKey,
    keep: u32,
) -> Result<Option<SequenceNr>, StoreError> {
    let statement = "DELETE FROM snapshots
        WHERE entity = (SELECT entity FROM entities WHERE kind = ?1 AND id = ?2) AND sequence_nr NOT IN (
            SELECT sequence_nr FROM snapshots
            WHERE entity = (SELECT entity FROM entities WHERE kind = ?1 AND id = ?2)
            ORDER BY sequence_nr DESC LIMIT ?3)";
    let statement = sqlx::query(statement).bind(entity.kind()).bind(entity.id());
    tx.execute(statement.bind(keep)).await?;
    let query = "SELECT sequence_nr FROM snapshots
        WHERE entity = (SELECT entity FROM entities WHERE kind = ? AND id = ?)
        ORDER BY sequence_nr LIMIT 1";
    let rows = tx.rows(sqlx::query(query).bind(entity.kind()).bind(entity.id())).await?;
    let oldest = rows.first().map(|row| values::sequence_nr(row, 0)).transpose();
    oldest.map_err(|error| tx.failed(error))
}
