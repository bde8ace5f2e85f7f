use crate::{
    PostgresStore,
    entity_pages::snapshot,
    fault::{Fault, store_error},
    pieces,
    session::{Session, Statement},
    transaction::{self, CROSSINGS_MAX, Failed, Transaction},
    values,
};
use actum_model::{EntityKey, PartitionCount, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotStore, StoreError};
use async_trait::async_trait;
use std::collections::BTreeMap;

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
        let mut session = self.shared.connections.lend(SAVING).await?;
        if let [all] = pieces[..] {
            return Ok(self.save_piece(&mut session, all).await?);
        }
        let mut crossings = 0;
        loop {
            match self.save_pieces(&mut session, &pieces).await {
                Err(Failed { fault: Fault::Crossed, .. }) if crossings < CROSSINGS_MAX => {
                    crossings += 1;
                }
                done => return Ok(done?),
            }
        }
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
    /// Saves by several statements of one transaction.
    async fn save_pieces(
        &self,
        session: &mut Session,
        pieces: &[&[&Snapshot]],
    ) -> Result<(), Failed> {
        let mut tx = Transaction::begin(session, self.shared.connector(), SAVING).await?;
        for piece in pieces {
            if let Err(failed) = self.save_piece(tx.session(), piece).await {
                return tx.finish(Err(failed)).await;
            }
        }
        tx.finish(Ok(())).await
    }

    /// Saves what one statement takes.
    async fn save_piece(
        &self,
        session: &mut Session,
        snapshots: &[&Snapshot],
    ) -> Result<(), Failed> {
        let columns = Columns::of(snapshots, self.layout().partitions);
        let save = "SELECT @save_snapshots_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)::text";
        let statement = || columns.bind(sqlx::query(self.shared.texts.of(save)));
        transaction::call(session, self.shared.connector(), SAVING, statement).await?;
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
    fn of(snapshots: &[&'a Snapshot], partitions: PartitionCount) -> Self {
        let mut columns = Self::default();
        snapshots.iter().for_each(|snapshot| columns.add(snapshot, partitions));
        columns
    }

    fn add(&mut self, snapshot: &'a Snapshot, partitions: PartitionCount) {
        self.kinds.push(snapshot.entity.kind());
        self.ids.push(snapshot.entity.id());
        self.partitions.push(snapshot.entity.partition(partitions).nr().into());
        self.sequence_nrs.push(values::bound(snapshot.sequence_nr.get()));
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
