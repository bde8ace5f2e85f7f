use crate::{
    PostgresStore,
    fault::store_error,
    pieces,
    session::{Session, Statement},
    transaction::{self, Failed, Statements},
};
use actum_model::{EntityKey, PartitionCount, SequenceNr};
use actum_persistence::store::{
    Snapshot, SnapshotDeletion, SnapshotRow, SnapshotStore, StoreError, StoredRow, integer,
};
use async_trait::async_trait;
use std::{collections::BTreeMap, num::NonZeroU32};

const SAVING: &str = "saving snapshots";

#[async_trait]
impl SnapshotStore for PostgresStore {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        Snapshot::check_all(snapshots)?;
        if snapshots.is_empty() {
            return Ok(());
        }
        let rows = rows_of(snapshots);
        let pieces: Vec<_> = pieces::of_snapshots(&rows).collect();
        let mut session = self.shared.connections.acquire(SAVING).await?;
        if let [all] = pieces[..] {
            return Ok(self.save_piece(&mut session, all).await?);
        }
        let connector = self.shared.connector();
        let saving = Saving { store: self, pieces: &pieces };
        Ok(transaction::run(&mut session, connector, SAVING, saving).await?)
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
            FROM @entities AS n JOIN @snapshots AS s ON s.entity = n.entity
            WHERE n.kind = $1 AND n.id = $2 AND s.sequence_nr > 0 AND s.sequence_nr <= $3
            ORDER BY s.sequence_nr DESC LIMIT $4";
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query));
            let query = query.bind(entity.kind()).bind(entity.id());
            query.bind(integer::bound(at_most.get())).bind(i64::from(limit.get()))
        };
        let doing = "listing snapshots";
        let rows = self.shared.connections.read(doing, statement).await?;
        let numbers: Result<_, _> = rows.iter().map(|row| row.sequence_nr(0)).collect();
        numbers.map_err(|error| store_error(doing, error))
    }

    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError> {
        SnapshotDeletion::check_all(deletions)?;
        if deletions.is_empty() {
            return Ok(());
        }
        // in one order, so that two of them never wait for each other
        let statement = "WITH doomed AS (
                SELECT s.entity, s.sequence_nr
                FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS d (kind, id, first, last)
                JOIN @entities AS n ON n.kind = d.kind AND n.id = d.id
                JOIN @snapshots AS s ON s.entity = n.entity AND s.sequence_nr BETWEEN d.first AND d.last
                ORDER BY s.entity, s.sequence_nr FOR UPDATE OF s
            ), deleted AS (
                DELETE FROM @snapshots AS s USING doomed AS d
                WHERE s.entity = d.entity AND s.sequence_nr = d.sequence_nr
            ) SELECT 1";
        let kinds: Vec<&str> = deletions.iter().map(|deletion| deletion.entity.kind()).collect();
        let ids: Vec<&str> = deletions.iter().map(|deletion| deletion.entity.id()).collect();
        let first: Vec<i64> = deletions
            .iter()
            .map(|deletion| integer::bound(deletion.numbers.start().get()))
            .collect();
        let last: Vec<i64> =
            deletions.iter().map(|deletion| integer::bound(deletion.numbers.end().get())).collect();
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(statement));
            query.bind(&kinds).bind(&ids).bind(&first).bind(&last)
        };
        let doing = "deleting snapshots";
        let mut session = self.shared.connections.acquire(doing).await?;
        transaction::call(&mut session, self.shared.connector(), doing, statement).await?;
        Ok(())
    }

    async fn close(&self) {
        PostgresStore::close(self).await;
    }
}

impl PostgresStore {
    /// The newest row of an entity at or before `at_most`.
    async fn newest_row(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<SnapshotRow>, StoreError> {
        // the columns as entity_pages.rs has them
        let query = "SELECT NULL::bigint, s.sequence_nr, NULL::bigint, NULL::bigint, NULL::bigint, s.timestamp, s.codec,
                s.manifest, s.schema_version, s.state, s.recent_commands
            FROM @entities AS n JOIN @snapshots AS s ON s.entity = n.entity
            WHERE n.kind = $1 AND n.id = $2 AND s.sequence_nr > 0 AND s.sequence_nr <= $3
            ORDER BY s.sequence_nr DESC LIMIT 1";
        let statement = || {
            let query = sqlx::query(self.shared.texts.of(query));
            query.bind(entity.kind()).bind(entity.id()).bind(integer::bound(at_most.get()))
        };
        let doing = "loading a snapshot";
        let rows = self.shared.connections.read(doing, statement).await?;
        let found = rows.first().map(|row| SnapshotRow::of_row(row, entity)).transpose();
        found.map_err(|error| store_error(doing, error))
    }

    /// Saves what one statement takes.
    async fn save_piece(
        &self,
        session: &mut Session,
        snapshots: &[&Snapshot],
    ) -> Result<(), Failed> {
        let columns = SnapshotColumns::of(snapshots, self.layout().partitions);
        let save = "SELECT @save_snapshots_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)::text";
        let statement = || columns.bind(sqlx::query(self.shared.texts.of(save)));
        transaction::call(session, self.shared.connector(), SAVING, statement).await?;
        Ok(())
    }
}

/// Snapshots that several statements save.
struct Saving<'a> {
    store: &'a PostgresStore,
    pieces: &'a [&'a [&'a Snapshot]],
}

impl Statements for Saving<'_> {
    type Done = ();

    async fn run(&mut self, session: &mut Session) -> Result<(), Failed> {
        for piece in self.pieces {
            self.store.save_piece(session, piece).await?;
        }
        Ok(())
    }
}

/// What is to be saved, each entity and number once: of two with one number the last one counts.
///
/// In order: two transactions that create the same entities wait for each other one way only.
fn rows_of(snapshots: &[Snapshot]) -> Vec<&Snapshot> {
    let by_name: BTreeMap<_, _> =
        snapshots.iter().map(|s| ((s.entity.kind(), s.entity.id(), s.sequence_nr), s)).collect();
    by_name.into_values().collect()
}

/// Snapshots as arrays, a column each.
#[derive(Default)]
struct SnapshotColumns<'a> {
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

impl<'a> SnapshotColumns<'a> {
    fn of(snapshots: &[&'a Snapshot], partitions: PartitionCount) -> Self {
        let mut columns = Self::default();
        snapshots.iter().for_each(|snapshot| columns.add(snapshot, partitions));
        columns
    }

    fn add(&mut self, snapshot: &'a Snapshot, partitions: PartitionCount) {
        self.kinds.push(snapshot.entity.kind());
        self.ids.push(snapshot.entity.id());
        self.partitions.push(snapshot.entity.partition(partitions).nr().into());
        self.sequence_nrs.push(integer::bound(snapshot.sequence_nr.get()));
        self.timestamps.push(snapshot.timestamp.as_micros());
        self.codecs.push(&snapshot.state.codec);
        self.manifests.push(&snapshot.state.manifest);
        self.schema_versions.push(snapshot.state.schema_version.into());
        self.states.push(&snapshot.state.bytes);
        self.recent_commands.push(&snapshot.recent_commands);
    }

    fn bind<'q>(&'q self, query: Statement<'q>) -> Statement<'q> {
        query
            .bind(&self.kinds)
            .bind(&self.ids)
            .bind(&self.partitions)
            .bind(&self.sequence_nrs)
            .bind(&self.timestamps)
            .bind(&self.codecs)
            .bind(&self.manifests)
            .bind(&self.schema_versions)
            .bind(&self.states)
            .bind(&self.recent_commands)
    }
}
