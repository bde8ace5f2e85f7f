//! Databases whose own settings are not what a journal needs.

use crate::{
    bounded::run,
    database::OwnDatabase,
    foreign_session::ForeignSession,
    reader::texts,
    writer::{LONG_LEASE, Writer, account, claim_of, payload},
};
use actum_model::{SequenceNr, Timestamp};
use actum_persistence::store::{
    DurableStateStore, EventStore, Resolution, Snapshot, SnapshotStore, StoreError, WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use sqlx::PgPool;

const UNFIT: [(&str, &str); 4] = [
    ("default_transaction_isolation", "serializable"),
    ("synchronous_commit", "off"),
    ("default_transaction_deferrable", "on"),
    ("jit", "on"),
];

/// How a store gets its connections.
#[derive(Clone, Copy, Debug)]
enum Way {
    Own,
    Proxy,
    Pool,
    PoolOfAProxy,
}

async fn store(database: &OwnDatabase, way: Way) -> PostgresStore {
    let settings = PostgresSettings::default();
    let settings = match way {
        Way::Own | Way::Pool => settings,
        Way::Proxy | Way::PoolOfAProxy => settings.with_transaction_pooling(true),
    };
    let store = match way {
        Way::Own | Way::Proxy => PostgresStore::connect_with(&database.url(), settings).await,
        Way::Pool | Way::PoolOfAProxy => {
            let pool = PgPool::connect(&database.url()).await.unwrap();
            PostgresStore::with_pool(pool, settings).await
        }
    };
    store.unwrap()
}

#[test]
fn every_call_works_and_is_durable_whatever_the_database_has_as_its_defaults() {
    run(async {
        for way in [Way::Own, Way::Proxy, Way::Pool, Way::PoolOfAProxy] {
            let Some(database) = OwnDatabase::create(&UNFIT).await else { return };
            let store = store(&database, way).await;
            let mut foreign = ForeignSession::connect(&database.url(), "actum").await;
            note_commits(&mut foreign).await;
            every_call(store).await;
            for table in ["writers", "entities", "events", "states"] {
                let noted = format!("SELECT count(*) FROM public.commits WHERE of = '{table}'");
                assert!(foreign.number(&noted).await > 0, "{way:?}: {table} was written to");
                let lazy = format!("{noted} AND synchronous_commit = 'off'");
                assert_eq!(foreign.number(&lazy).await, 0, "{way:?}: {table}");
                // the server takes what a table without an index costs for long work, and would compile each time
                let compiled = format!("{noted} AND jit = 'on'");
                assert_eq!(foreign.number(&compiled).await, 0, "{way:?}: {table}");
            }
        }
    });
}

/// Notes for every row that is written how its transaction commits.
async fn note_commits(foreign: &mut ForeignSession) {
    foreign
        .run(
            "CREATE TABLE public.commits (of text, synchronous_commit text, jit text);
            CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO public.commits
                VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'), current_setting('jit'));
                RETURN NULL;
            END
            $$",
        )
        .await;
    for table in ["writers", "entities", "events", "states"] {
        let trigger = format!(
            "CREATE CONSTRAINT TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON @{table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note()"
        );
        foreign.run(&trigger).await;
    }
}

async fn every_call(store: PostgresStore) {
    let writer = Writer::claim(store).await;
    let (store, incarnation) = (&*writer.store, writer.incarnation);
    writer.write(&account(1), 0, "first").await;
    writer.write(&account(1), 1, "second").await;
    let batch = writer.one(&account(1), 2, "never sent");
    assert_eq!(EventStore::resolve(store, &batch).await.unwrap(), [Resolution::NotStored]);
    writer.write(&account(1), 2, "third").await;
    store.write(&writer.put(&account(2), 0, "state")).await.unwrap();
    let batch = writer.put(&account(2), 1, "never sent");
    assert_eq!(DurableStateStore::resolve(store, &batch).await.unwrap(), [Resolution::NotStored]);
    store.write(&writer.put(&account(2), 1, "state")).await.unwrap();
    let snapshot = Snapshot {
        entity: account(1),
        sequence_nr: SequenceNr::new(1),
        timestamp: Timestamp::from_micros(0),
        state: payload("state"),
        recent_commands: bytes::Bytes::new(),
    };
    store.save(&[snapshot]).await.unwrap();
    store.renew(incarnation, LONG_LEASE).await.unwrap();
    assert_eq!(texts(store).await, ["first", "second", "third"]);
    store.delete_events(incarnation, &account(1), SequenceNr::new(1)).await.unwrap();
    store.revoke(incarnation).await.unwrap();
    let fenced = writer.try_write(&account(1), 3, "too late").await.unwrap_err();
    assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced:?}");
    let next = store.claim(&claim_of("journal", LONG_LEASE)).await.unwrap();
    store.release(next).await.unwrap();
}
