//! The rows of the SQLite store's own tables, written through sqlx without the store.

use crate::{
    account::{Account, account_id, deposited},
    journal::FILE,
};
use actum::{Entity, EntityKey, PartitionCount, SqliteStore, StoredPayload};
use anyhow::Result;
use sqlx::{
    AssertSqlSafe, Connection, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};
use tempfile::TempDir;

/// An event on its way into the table.
pub(crate) struct EventRow {
    /// `None`: behind the last one.
    pub(crate) place: Option<i64>,
    pub(crate) entity: i64,
    pub(crate) sequence_nr: i64,
}

/// What is the same in all rows.
pub(crate) struct Content(StoredPayload);

type SqliteStatement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl Content {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(StoredPayload::encode(&deposited(42, 1 << 40))?))
    }

    /// Binds the eleven columns of a row.
    pub(crate) fn bind<'q>(
        &'q self,
        statement: SqliteStatement<'q>,
        row: &EventRow,
    ) -> SqliteStatement<'q> {
        statement
            .bind(row.place)
            .bind(row.entity)
            .bind(row.sequence_nr)
            .bind(1_i64)
            .bind(row.place)
            .bind(1_700_000_000_000_000_i64)
            .bind(&*self.0.codec)
            .bind(&*self.0.manifest)
            .bind(i64::from(self.0.schema_version))
            .bind(&*self.0.bytes)
            .bind(&[][..] as &[u8])
    }
}

/// A statement that inserts `rows` events.
pub(crate) fn insert(rows: usize) -> String {
    let row = "(?,?,?,?,ifnull(?,0),?,?,?,?,?,?)";
    let rows = std::iter::repeat_n(row, rows).collect::<Vec<_>>().join(",");
    format!(
        "INSERT INTO events (place, entity, sequence_nr, incarnation, event_nr, timestamp, codec, manifest,
            schema_version, payload, metadata) VALUES {rows}"
    )
}

/// How the file is opened: as the store does it, except that SQLite checkpoints by itself, as often as the store does.
pub(crate) fn options(directory: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(directory.join(FILE))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(60))
        .foreign_keys(false)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "4096")
}

/// A journal with the store's own schema, which has these entities and one event of each.
pub(crate) async fn file(directory: &Path, entities: u32) -> Result<TempDir> {
    let directory = tempfile::tempdir_in(directory)?;
    SqliteStore::open(directory.path().join(FILE)).await?.close().await;
    let mut connection = SqliteConnection::connect_with(&options(directory.path())).await?;
    let content = Content::new()?;
    let statement = insert(1);
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
    for nr in 0..entities {
        let key = EntityKey::new(Account::KIND, account_id(nr))?;
        let entity = i64::from(nr) + 1;
        sqlx::query(
            "INSERT INTO entities (entity, kind, id, partition, floor) VALUES (?, ?, ?, ?, 0)",
        )
        .bind(entity)
        .bind(key.kind())
        .bind(key.id())
        .bind(key.partition(PartitionCount::default()).nr())
        .execute(&mut connection)
        .await?;
        let row = EventRow { place: Some(entity), entity, sequence_nr: 1 };
        let query = sqlx::query(AssertSqlSafe(statement.as_str()));
        content.bind(query, &row).execute(&mut connection).await?;
    }
    sqlx::query("COMMIT").execute(&mut connection).await?;
    connection.close().await?;
    Ok(directory)
}
