use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{JournalLayout, Stores};
use actum_store_sqlite::{SqliteSettings, SqliteStore, Synchronous};
use actum_testkit::conformance::StoreFixture;
use async_trait::async_trait;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A journal in a file of its own, deleted in the end.
pub(crate) struct SqliteFixture {
    directory: TempDir,
    settings: SqliteSettings,
}

impl SqliteFixture {
    pub(crate) async fn create(layout: JournalLayout) -> Self {
        Self::with(SqliteSettings::default().with_layout(layout))
    }

    pub(crate) async fn create_cramped(layout: JournalLayout) -> Self {
        let settings = SqliteSettings::default()
            .with_layout(layout)
            .with_synchronous(Synchronous::Normal)
            .with_reader_connections(1)
            .with_writer_cache_bytes(1 << 20)
            .with_reader_cache_bytes(1 << 20)
            .with_remembered_entities(1_000)
            .with_checkpoint_bytes(1 << 20)
            .with_wal_bytes_max(2 << 20);
        Self::with(settings)
    }

    /// A journal that is opened with these settings.
    pub(crate) fn with(settings: SqliteSettings) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), settings }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    pub(crate) async fn store(&self) -> SqliteStore {
        SqliteStore::open_with(self.path(), self.settings.clone()).await.unwrap()
    }

    /// A connection of another program.
    pub(crate) async fn foreign_connection(&self) -> SqliteConnection {
        foreign_connection(&self.path()).await
    }
}

/// A connection of another program to a file that it may create.
pub(crate) async fn foreign_connection(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.disable_statement_logging().connect().await.unwrap()
}

#[async_trait]
impl StoreFixture for SqliteFixture {
    async fn open(&self) -> Stores {
        Stores::of(self.store().await)
    }

    async fn advance_lane(&self, lane: Lane, to: Position) {
        drop(self.store().await); // there is a file
        let mut connection = self.foreign_connection().await;
        let statement = sqlx::query("UPDATE lanes SET kept = ? WHERE lane = ?");
        let statement = statement.bind(to.get().cast_signed()).bind(lane.nr());
        assert_eq!(statement.execute(&mut connection).await.unwrap().rows_affected(), 1);
        connection.close().await.unwrap();
    }

    async fn damage_snapshot(&self, entity: &EntityKey, sequence_nr: SequenceNr) -> bool {
        let damage = "UPDATE snapshots SET schema_version = -1 WHERE sequence_nr = ?1
            AND entity = (SELECT entity FROM entities WHERE kind = ?2 AND id = ?3)";
        let damage = sqlx::query(damage).bind(sequence_nr.get().cast_signed());
        let damage = damage.bind(entity.kind()).bind(entity.id());
        damage.execute(&mut self.foreign_connection().await).await.unwrap().rows_affected() == 1
    }

    async fn damage_state(&self, entity: &EntityKey) -> bool {
        let damage = "UPDATE states SET codec = NULL
            WHERE entity = (SELECT entity FROM entities WHERE kind = ? AND id = ?)";
        let damage = sqlx::query(damage).bind(entity.kind()).bind(entity.id());
        damage.execute(&mut self.foreign_connection().await).await.unwrap().rows_affected() == 1
    }

    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        let store = self.store().await;
        let partition =
            entity.partition(actum_persistence::store::EventStore::layout(&store).partitions);
        let mut connection = self.foreign_connection().await;
        let statement = "INSERT INTO entities (kind, id, partition, floor) VALUES (?, ?, ?, ?)";
        let statement = sqlx::query(statement).bind(entity.kind()).bind(entity.id());
        let statement = statement.bind(partition.nr()).bind(to.get().cast_signed());
        statement.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
