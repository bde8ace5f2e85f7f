//! The table of events of a journal in PostgreSQL, written without the store.

use crate::{
    account::{Account, deposited},
    bench::Bench,
    postgres::Database,
};
use actum::{Entity, StoredPayload};
use anyhow::Result;
use sqlx::{Connection, Postgres, postgres::PgArguments, query::Query};

pub(super) type PostgresStatement<'q> = Query<'q, Postgres, PgArguments>;

pub(super) const TIMESTAMP: i64 = 1_700_000_000_000_000;

/// What is the same in all rows.
pub(super) fn content() -> Result<StoredPayload> {
    Ok(StoredPayload::encode(&deposited(42, 1 << 40))?)
}

/// A journal of so many lanes with the store's own schema, which has these entities and one event of each: entity n, from
/// 1, is in lane (n - 1) modulo the lanes, and was the last to come there.
pub(super) async fn database(bench: &Bench, lanes: u16, entities: u32) -> Result<Database> {
    let database = Database::create(bench.site.postgres()?).await?;
    database.store(lanes).await?.close().await;
    let mut connection = database.connect_straight().await?;
    let named = "INSERT INTO actum.entities (partition, kind, id)
        SELECT n % 256, $2, 'acc-' || lpad(n::text, 8, '0') FROM generate_series(0, $1 - 1) AS n";
    let entities = i32::try_from(entities)?;
    sqlx::query(named).bind(entities).bind(Account::KIND).execute(&mut connection).await?;
    let begun = "INSERT INTO actum.events (
            position, entity, sequence_nr, incarnation, event_nr, timestamp, schema_version, lane, codec, manifest,
            payload, metadata
        )
        SELECT n / $2 + 1, n + 1, 1, 1, n, $3, $4, n % $2, $5, $6, $7, '' FROM generate_series(0, $1 - 1) AS n";
    let content = content()?;
    sqlx::query(begun)
        .bind(entities)
        .bind(i32::from(lanes))
        .bind(TIMESTAMP)
        .bind(i64::from(content.schema_version))
        .bind(&*content.codec)
        .bind(&*content.manifest)
        .bind(&*content.bytes)
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    database.settle().await;
    Ok(database)
}
