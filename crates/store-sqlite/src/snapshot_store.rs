use crate::{
    SqliteStore, entities, fault::store_error, insert, retention, row::Row, session::Statement,
    writer::WriteTx,
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{
    Snapshot, SnapshotDeletion, SnapshotRow, SnapshotStore, StoreError, StoredRow, integer,
};
use async_trait::async_trait;
use std::{collections::HashMap, num::NonZeroU32};

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
        let newest_row = |at_most| self.newest_row(entity, at_most);
        SnapshotRow::newest_readable(entity, at_most, newest_row).await
    }

    async fn list(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
        limit: NonZeroU32,
    ) -> Result<Vec<SequenceNr>, StoreError> {
        let query = "SELECT s.sequence_nr
            FROM entities AS e CROSS JOIN snapshots AS s ON s.entity = e.entity
                AND s.sequence_nr > 0 AND s.sequence_nr <= ?
            WHERE e.kind = ? AND e.id = ?
            ORDER BY s.sequence_nr DESC LIMIT ?";
        let query = sqlx::query(query).bind(integer::bound(at_most.get()));
        let query = query.bind(entity.kind()).bind(entity.id()).bind(limit.get());
        let doing = "listing snapshots";
        let rows = self.readers().reader(doing).await?.rows(query).await;
        let numbers = |rows: Vec<Row>| rows.iter().map(|row| row.sequence_nr(0)).collect();
        rows.and_then(numbers).map_err(|error| store_error(doing, error))
    }

    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError> {
        SnapshotDeletion::check_all(deletions)?;
        let mut rest = deletions;
        while !rest.is_empty() {
            let mut tx = self.writer().begin_relief("deleting snapshots").await?;
            let done = retention::delete_snapshots(&mut tx, rest).await;
            rest = &rest[tx.finish(done).await?..];
        }
        Ok(())
    }

    async fn close(&self) {
        SqliteStore::close(self).await;
    }
}

/// A row of the table `snapshots`.
struct NewSnapshotRow<'a> {
    entity: i64,
    snapshot: &'a Snapshot,
}

impl SqliteStore {
    /// The newest row of an entity at or before `at_most`.
    async fn newest_row(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        // the columns as entity_pages.rs has them
        let query = "SELECT NULL, s.sequence_nr, NULL, NULL, NULL,
                s.timestamp, s.codec, s.manifest, s.schema_version, s.state, s.recent_commands
            FROM entities AS e CROSS JOIN snapshots AS s ON s.entity = e.entity
                AND s.sequence_nr > 0 AND s.sequence_nr <= ?
            WHERE e.kind = ? AND e.id = ?
            ORDER BY s.sequence_nr DESC LIMIT 1";
        let query = sqlx::query(query).bind(integer::bound(at_most.get()));
        let query = query.bind(entity.kind()).bind(entity.id());
        let doing = "loading a snapshot";
        let rows = self.readers().reader(doing).await?.rows(query).await;
        let found = rows
            .and_then(|rows| rows.first().map(|row| SnapshotRow::of_row(row, entity)).transpose());
        found.map_err(|error| store_error(doing, error))
    }

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
        let entity_of = |snapshot: &Snapshot| entities[places[&snapshot.entity]];
        let row = |snapshot| NewSnapshotRow { entity: entity_of(snapshot), snapshot };
        let rows: Vec<_> = snapshots.iter().map(row).collect();
        let inserted = insert::SNAPSHOTS.run(tx.session(), &rows, bind).await;
        inserted.map_err(|error| tx.failed(error))?;
        tx.will_write(snapshots.iter().map(Snapshot::bytes).sum::<usize>() as u64);
        Ok(())
    }
}

fn bind<'q>(statement: Statement<'q>, row: &'q NewSnapshotRow<'_>) -> Statement<'q> {
    let state = &row.snapshot.state;
    statement
        .bind(row.entity)
        .bind(integer::bound(row.snapshot.sequence_nr.get()))
        .bind(row.snapshot.timestamp.as_micros())
        .bind(state.codec.as_ref())
        .bind(state.manifest.as_ref())
        .bind(i64::from(state.schema_version))
        .bind(state.bytes.as_ref())
        .bind(row.snapshot.recent_commands.as_ref())
}
