use crate::{PostgresStore, entity_pages::snapshot, fault::store_error, transaction, values};
use actum_model::{EntityKey, PartitionCount, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::collections::HashMap;

#[async_trait]
impl SnapshotStore for PostgresStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        if snapshots.is_empty() {
            return Ok(());
        }
        let columns = Columns::of(snapshots, self.layout().partitions)?;
        self.save_columns(&columns).await
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        // the columns as entity_pages.rs has them
        let query = "SELECT NULL::bigint, s.sequence_nr, NULL::bigint, NULL::bigint, NULL::bigint, s.timestamp, s.codec,
                s.manifest, s.schema_version, s.state, s.recent_commands
            FROM @entities AS n JOIN @snapshots AS s ON s.entity = n.entity
            WHERE n.kind = $1 AND n.id = $2 AND s.sequence_nr <= $3
            ORDER BY s.sequence_nr DESC LIMIT 1";
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query));
            query.bind(entity.kind()).bind(entity.id()).bind(values::bound(at_most.get()))
        };
        let doing = "loading a snapshot";
        let rows = self.shared.connections.read(doing, statement).await?;
        let found = rows.first().map(|row| snapshot(row, entity)).transpose();
        found.map_err(|error| store_error(doing, error))
    }

    async fn prune(&self, entity: &EntityKey, keep: u32) -> Result<Option<SequenceNr>, StoreError> {
        let statement = "WITH kept AS (
                SELECT s.entity, s.sequence_nr FROM @snapshots AS s JOIN @entities AS n ON n.entity = s.entity
                WHERE n.kind = $1 AND n.id = $2
                ORDER BY s.sequence_nr DESC LIMIT $3
            ), pruned AS (
                DELETE FROM @snapshots AS s USING @entities AS n
                WHERE n.kind = $1 AND n.id = $2 AND s.entity = n.entity
                    AND s.sequence_nr NOT IN (SELECT k.sequence_nr FROM kept AS k)
            )
            SELECT min(k.sequence_nr) FROM kept AS k HAVING count(*) > 0";
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(statement));
            query.bind(entity.kind()).bind(entity.id()).bind(i64::from(keep))
        };
        let doing = "pruning snapshots";
        let mut session = self.shared.connections.lend(doing).await?;
        let rows =
            transaction::call(&mut session, self.shared.connector(), doing, statement).await?;
        let oldest = rows.first().map(|row| values::sequence_nr(row, 0)).transpose();
        oldest.map_err(|error| store_error(doing, error))
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }
}

impl PostgresStore {
    async fn save_columns(&self, columns: &Columns<'_>) -> Result<(), StoreError> {
        let doing = "saving snapshots";
        let save = "SELECT @save_snapshots_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)::text";
        let statement = || {
            sqlx::query(self.shared.texts.of(save))
                .bind(&columns.kinds)
                .bind(&columns.ids)
                .bind(&columns.partitions)
                .bind(&columns.sequence_nrs)
                .bind(&columns.timestamps)
                .bind(&columns.codecs)
                .bind(&columns.manifests)
                .bind(&columns.schema_versions)
                .bind(&columns.states)
                .bind(&columns.recent_commands)
        };
        let mut session = self.shared.connections.lend(doing).await?;
        let connector = self.shared.connector();
        transaction::call(&mut session, connector, doing, statement).await?;
        Ok(())
    }
}

/// Snapshots as arrays, a column each.
#[derive(Default)]
struct Columns<'a> {
    kinds: Vec<&'a str>,
    ids: Vec<&'a str>,
    partitions: Vec<i32>,
    sequence_nrs: Vec<i64>,
    timestamps: Vec<i64>,
    codecs: Vec<&'a str>,
    manifests: Vec<&'a str>,
    schema_versions: Vec<i64>,
    states: Vec<&'a [u8]>,
    recent_commands: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(snapshots: &'a [Snapshot], partitions: PartitionCount) -> Result<Self, StoreError> {
        // of two with one number the last one counts, and a statement touches a row once
        let places =
            snapshots.iter().enumerate().map(|(place, s)| ((&s.entity, s.sequence_nr), place));
        let last: HashMap<_, usize> = places.collect();
        let mut columns = Self::default();
        for (place, snapshot) in snapshots.iter().enumerate() {
            if last[&(&snapshot.entity, snapshot.sequence_nr)] == place {
                columns.add(snapshot, partitions)?;
            }
        }
        Ok(columns)
    }

    fn add(
        &mut self,
        snapshot: &'a Snapshot,
        partitions: PartitionCount,
    ) -> Result<(), StoreError> {
        let sequence_nr = values::stored(snapshot.sequence_nr.get()).ok_or_else(|| {
            let (entity, nr) = (&snapshot.entity, snapshot.sequence_nr);
            StoreError::invalid(format!("{entity} cannot have an event {nr} to take a snapshot of"))
        })?;
        self.kinds.push(snapshot.entity.kind());
        self.ids.push(snapshot.entity.id());
        self.partitions.push(snapshot.entity.partition(partitions).nr().into());
        self.sequence_nrs.push(sequence_nr);
        self.timestamps.push(snapshot.timestamp.as_micros());
        self.codecs.push(&snapshot.state.codec);
        self.manifests.push(&snapshot.state.manifest);
        self.schema_versions.push(snapshot.state.schema_version.into());
        self.states.push(&snapshot.state.bytes);
        self.recent_commands.push(&snapshot.recent_commands);
        Ok(())
    }
}
