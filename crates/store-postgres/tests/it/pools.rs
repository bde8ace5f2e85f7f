//! Stores on a pool that the caller has brought, and uses for other things too.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    reader::texts,
    writer::{LONG_LEASE, Writer, account, claim_of},
};
use actum_model::{LaneCount, SequenceNr};
use actum_persistence::store::{
    DurableStateStore, EventStore, JournalLayout, Resolution, WriterStore,
};
use actum_store_postgres::{OpenError, PostgresSettings, PostgresStore};
use futures_util::future::join_all;
use sqlx::{PgConnection, PgPool, Row, postgres::PgPoolOptions};
use std::time::Duration;

/// The two ways a call commits.
fn modes() -> [PostgresFixture; 2] {
    let settings = PostgresSettings::default();
    let pooled = settings.clone().with_transaction_pooling(true);
    [PostgresFixture::with(settings), PostgresFixture::with(pooled)]
}

async fn pool(journal: &PostgresFixture, connections: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(connections);
    let options = options.acquire_timeout(Duration::from_secs(3));
    options.connect(journal.url()).await.unwrap()
}

/// The settings of a connection, but for those that the server makes itself.
async fn settings_of(pool: &PgPool) -> Vec<String> {
    let settings = "SELECT name || ' = ' || setting FROM pg_settings
        WHERE source IN ('session', 'client') ORDER BY name";
    let rows = sqlx::query(settings).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn connections_come_back_to_the_pool_as_they_were() {
    for closes in [true, false] {
        for journal in modes() {
            run_on(journal, async |journal| {
                let pool = pool(journal, 5).await;
                let before = settings_of(&pool).await;
                let store = PostgresStore::with_pool(pool.clone(), journal.settings()).await;
                let writer = Writer::claim(store.unwrap()).await;
                use_everything(&writer).await;
                if closes {
                    writer.store.close().await;
                }
                drop(writer);
                until("all connections are back", async || pool.num_idle() == pool.size() as usize)
                    .await;
                // at the same time, so that each is asked
                for after in join_all((0..pool.size()).map(|_| settings_of(&pool))).await {
                    assert_eq!(after, before, "closed: {closes}");
                }
                assert!(!pool.is_closed());
            });
        }
    }
}

#[test]
fn a_pool_of_few_connections_is_enough() {
    for journal in modes() {
        run_on(journal, async |journal| {
            let pool = pool(journal, 2).await; // one of them for the lane
            let store = PostgresStore::with_pool(pool.clone(), journal.settings()).await.unwrap();
            let writer = Writer::claim(store).await;
            use_everything(&writer).await;
            let reads = (0..50).map(|_| writer.store.heads());
            for read in join_all(reads).await {
                read.unwrap();
            }
            assert_eq!(sqlx::query("SELECT 1").fetch_all(&pool).await.unwrap().len(), 1);
            writer.store.close().await;
        });
    }
}

/// Each lane keeps a connection: a pool that has no more would have none for anything else, ever.
#[test]
fn a_pool_without_a_connection_beside_those_of_the_lanes_is_refused() {
    let lanes = LaneCount::new(4).unwrap();
    let layout = JournalLayout { lanes, ..JournalLayout::default() };
    let settings = PostgresSettings::default().with_layout(layout);
    run_on(PostgresFixture::with(settings), async |journal| {
        for connections in 1..=4 {
            let pool = pool(journal, connections).await;
            let refused = PostgresStore::with_pool(pool, journal.settings()).await.unwrap_err();
            let OpenError::InvalidSettings { problems, .. } = refused else { panic!("{refused}") };
            let max = format!("`max_connections` of the pool is {connections}");
            let problem =
                format!("{max}, it must be at least 5, one more than the journal has lanes");
            assert_eq!(problems, [problem]);
        }
        let pool = pool(journal, 5).await;
        PostgresStore::with_pool(pool, journal.settings()).await.unwrap();
    });
}

/// A call that is given up in the middle gives back no connection that is still at it.
#[test]
fn calls_that_are_given_up_leave_the_pool_usable() {
    for journal in modes() {
        run_on(journal, async |journal| {
            let pool = pool(journal, 3).await;
            let store = PostgresStore::with_pool(pool.clone(), journal.settings()).await.unwrap();
            let writer = Writer::claim(store).await;
            let mut head = 0;
            for round in 0..60 {
                let batch = writer.one(&account(1), head, "event");
                let patience = Duration::from_micros(100 * round);
                let _ = tokio::time::timeout(patience, writer.store.heads()).await;
                if tokio::time::timeout(patience, writer.store.append(&batch)).await.is_err() {
                    let outcomes = EventStore::resolve(&*writer.store, &batch).await.unwrap();
                    head += u64::from(outcomes[0].stored().is_some());
                } else {
                    head += 1;
                }
                let mut connection = pool.acquire().await.unwrap();
                let first = transaction(&mut connection).await;
                assert!(first < transaction(&mut connection).await, "none was left open");
            }
            assert_eq!(texts(&writer.store).await.len() as u64, head);
            writer.store.close().await;
        });
    }
}

/// The number of the transaction that a connection is in.
async fn transaction(connection: &mut PgConnection) -> i64 {
    let number = sqlx::query("SELECT txid_current()").fetch_one(connection).await;
    number.unwrap().get(0)
}

/// The pool's connections wait for ever, and a read must not.
#[test]
fn reads_through_a_pool_keep_to_the_time_outs_of_the_store() {
    let settings = PostgresSettings::default()
        .with_lock_timeout(Duration::from_millis(50))
        .with_answer_timeout(Duration::from_secs(20));
    run_on(PostgresFixture::with(settings), async |journal| {
        let pool = pool(journal, 5).await;
        let store = PostgresStore::with_pool(pool.clone(), journal.settings()).await.unwrap();
        let writer = Writer::claim(store).await;
        writer.write(&account(1), 0, "event").await;
        let mut foreign = journal.foreign_connection().await;
        let lock = "BEGIN; LOCK TABLE @events, @snapshots, @states IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(journal.sql(lock)).execute(&mut foreign).await.unwrap();
        let heads = writer.store.heads().await.unwrap_err();
        let states = writer.store.load(&[account(1)]).await.unwrap_err();
        for error in [heads, states] {
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains("lock timeout"), "{error}: {cause}");
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut foreign).await.unwrap();
        assert_eq!(writer.store.heads().await.unwrap().positions()[0].get(), 1);
        writer.store.close().await;
    });
}

async fn use_everything(writer: &Writer) {
    let store = &*writer.store;
    for nr in 0..10 {
        writer.write(&account(nr), 0, "event").await;
        store.write(&writer.put(&account(nr), 0, "state")).await.unwrap();
    }
    let batch = writer.one(&account(1), 1, "never sent");
    assert_eq!(EventStore::resolve(store, &batch).await.unwrap(), [Resolution::NotStored]);
    store.delete_events(writer.incarnation, &account(1), SequenceNr::new(1)).await.unwrap();
    let other = store.claim(&claim_of("another", LONG_LEASE)).await.unwrap();
    store.revoke(other).await.unwrap();
    assert_eq!(store.heads().await.unwrap().positions()[0].get(), 10);
}
