use super::sample::{Place, create_tables};
use actum_persistence::progress::{ExactTarget, ProgressStore};
use actum_store_sqlite::{SqliteStore, SqliteTarget};
use actum_testkit::conformance::{
    exact_target::{ExactTargetFixture, Misuse},
    progress::ProgressFixture,
};
use async_trait::async_trait;
use sqlx::SqliteConnection;
use std::sync::Arc;

/// A file that keeps progress, deleted in the end.
pub(crate) struct TargetFixture {
    place: Place,
    is_journal: bool,
}

impl TargetFixture {
    /// In a file of its own.
    pub(crate) async fn own() -> Self {
        Self { place: Place::new(), is_journal: false }
    }

    /// In the file of a journal.
    pub(crate) async fn of_journal() -> Self {
        Self { place: Place::new(), is_journal: true }
    }

    async fn target(&self) -> SqliteTarget {
        match self.is_journal {
            true => SqliteTarget::of(&SqliteStore::open(self.place.path()).await.unwrap()),
            false => self.place.target().await,
        }
    }
}

#[async_trait]
impl ProgressFixture for TargetFixture {
    async fn open(&self) -> Arc<dyn ProgressStore> {
        self.target().await.progress()
    }
}

#[async_trait]
impl ExactTargetFixture for TargetFixture {
    type Target = SqliteTarget;

    fn has_one_writer(&self) -> bool {
        true
    }

    async fn open(&self) -> SqliteTarget {
        let target = self.target().await;
        create_tables(&target).await;
        target
    }

    async fn write(&self, connection: &mut SqliteConnection, key: &str, value: &str) {
        let statement =
            "INSERT INTO texts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
        let statement = sqlx::query(statement).bind(key).bind(value);
        statement.execute(connection).await.unwrap();
    }

    async fn read(&self, connection: &mut SqliteConnection, key: &str) -> Option<String> {
        let query = sqlx::query_scalar("SELECT value FROM texts WHERE key = ?").bind(key);
        query.fetch_optional(connection).await.unwrap()
    }

    async fn misuse(&self, connection: &mut SqliteConnection, how: Misuse) -> bool {
        let statement = match how {
            Misuse::Commit => "COMMIT",
            Misuse::Rollback => "ROLLBACK",
            Misuse::IgnoreError => "INSERT INTO texts SELECT key, value FROM texts",
            _ => return false,
        };
        drop(sqlx::query(statement).execute(connection).await);
        true
    }
}
