use super::{mails::Mails, sums::Sums, world::LEASE};
use crate::place::Place;
use actum::{
    Engine, OnFailure, PostgresStore, PostgresTarget, ProjectionRegistration, ReaderEngine,
    SqliteStore, SqliteTarget,
    postgres::PostgresSettings,
    settings::{JournalWait, ProjectionSettings, RuntimeSettings},
    store::Stores,
};
use bank::domain::Account;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};
use std::{collections::BTreeMap, num::NonZeroU16, path::PathBuf, sync::Arc, time::Duration};

fn settings() -> ProjectionSettings {
    let mut settings = ProjectionSettings::default();
    settings.segments = NonZeroU16::new(4).unwrap();
    (settings.batch_events, settings.lease) = (20, LEASE);
    (settings.retries, settings.on_failure) = (1, OnFailure::ParkEntity);
    (settings.retry_first, settings.retry_max) =
        (Duration::from_millis(10), Duration::from_millis(100));
    (settings.handler_timeout, settings.shutdown_timeout) = (LEASE, LEASE);
    settings
}

fn file(place: &Place) -> Option<PathBuf> {
    match place {
        Place::File(directory) => Some(directory.path().join("bank.db")),
        Place::Postgres { .. } => None,
    }
}

/// The one that writes; it takes over from one that is dead.
pub(super) async fn begin_to_write(place: Arc<Place>) -> Engine {
    let stores: Stores = match &*place {
        Place::File(_) => place.stores().await,
        Place::Postgres { .. } => on_server(&place).await.0.into(),
    };
    let settings =
        RuntimeSettings::default().with_writer_lease(LEASE).with_journal_wait(JournalWait::Forever);
    let builder = Engine::builder("bank").store(stores).entity::<Account>(());
    builder.settings(settings).start().await.unwrap()
}

/// One that reads.
pub(super) async fn begin_to_read(place: Arc<Place>, mails: Mails) -> ReaderEngine {
    let trouble = mails.trouble.clone();
    let (stores, sums): (Stores, ProjectionRegistration) = match file(&place) {
        Some(file) => {
            let store = SqliteStore::open(file).await.unwrap();
            let (target, table) = (SqliteTarget::of(&store), "sums".into());
            let sums = Sums { target, table, trouble };
            (store.into(), sums.projection().settings(settings()).into())
        }
        None => {
            let (store, schema) = on_server(&place).await;
            let (target, table) = (PostgresTarget::of(&store), table_in(&schema).into());
            let sums = Sums { target, table, trouble };
            (store.into(), sums.projection().settings(settings()).into())
        }
    };
    let mails = mails.projection().settings(settings());
    let builder = Engine::builder("readers").store(stores).projection(sums).projection(mails);
    builder.start_readers().await.unwrap()
}

async fn on_server(place: &Place) -> (PostgresStore, String) {
    let Place::Postgres { url, schema, .. } = place else { unreachable!("it is on a server") };
    let settings = PostgresSettings::default().with_schema(schema).with_connections_max(4);
    (PostgresStore::connect_with(url, settings).await.unwrap(), schema.clone())
}

fn table_in(schema: &str) -> String {
    format!("\"{schema}_projections\".sums")
}

/// What the exact projection has written of an account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) sum: i64,
    pub(super) events: i64,
    /// The number of the last one.
    pub(super) last: i64,
}

/// All that the exact projection has written; nothing before it has begun.
pub(super) async fn rows(place: &Place) -> BTreeMap<String, Row> {
    let select = |table: &str| {
        AssertSqlSafe(format!("SELECT account, sum, events, last FROM {table} ORDER BY account"))
    };
    let rows: Result<Vec<(String, i64, i64, i64)>, _> = match place {
        Place::File(_) => {
            let options = SqliteConnectOptions::new().filename(file(place).unwrap());
            let mut file = SqliteConnection::connect_with(&options).await.unwrap();
            sqlx::query_as(select("sums")).fetch_all(&mut file).await
        }
        Place::Postgres { url, schema, .. } => {
            let mut server = PgConnection::connect(url).await.unwrap();
            sqlx::query_as(select(&table_in(schema))).fetch_all(&mut server).await
        }
    };
    let rows = match rows {
        Err(error) if is_missing(&error) => Vec::new(),
        rows => rows.unwrap(),
    };
    let row = |(account, sum, events, last)| (account, Row { sum, events, last });
    rows.into_iter().map(row).collect()
}

fn is_missing(error: &sqlx::Error) -> bool {
    let said = error.to_string();
    said.contains("no such table") || said.contains("does not exist")
}
