//! Transactions that are given up when they would commit, because others were in their way.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    sample::{Writer, account, event},
};
use actum_model::{EntityKey, SequenceNr, Timestamp};
use actum_persistence::store::{
    AppendOutcome, DurableStateStore, Snapshot, SnapshotStore, StateBatch, StateOutcome, StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use bytes::Bytes;
use std::error::Error;

/// How many rows need several statements.
const MANY: usize = 5_000;

/// Lets the first two transactions of each case fail at their commit. Numbers of sequences are not rolled back.
async fn cross_commits(fixture: &PostgresFixture) {
    let mut text = String::from(
        "DROP SEQUENCE IF EXISTS @crossings CASCADE;
        CREATE SEQUENCE @crossings;
        CREATE OR REPLACE FUNCTION @cross() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('@crossings') <= 2 THEN
                RAISE EXCEPTION 'crossed' USING ERRCODE = '40001';
            END IF;
            RETURN NULL;
        END
        $$;",
    );
    for table in ["events", "states", "snapshots"] {
        text += &format!(
            "DROP TRIGGER IF EXISTS crossing ON @{table};
            CREATE CONSTRAINT TRIGGER crossing AFTER INSERT ON @{table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @cross();"
        );
    }
    run(fixture, &text).await;
}

/// What was crossed was rolled back, whatever it is: the same again does, once.
#[test]
fn what_is_crossed_at_its_commit_is_sent_again_and_stored_once() {
    for pooling in [false, true] {
        let settings = PostgresSettings::default().with_transaction_pooling(pooling);
        run_on(PostgresFixture::with(settings), async |fixture| {
            let store = fixture.store().await;
            let writer = Writer::claim(&store).await;
            for (round, count) in [1, MANY].into_iter().enumerate() {
                let keys: Vec<_> = (0..count).map(|nr| account(round * MANY + nr)).collect();
                cross_commits(fixture).await;
                append(&writer, &keys).await;
                cross_commits(fixture).await;
                put(&store, &writer, &keys).await;
                cross_commits(fixture).await;
                save(&store, &keys).await;
            }
            for table in ["events", "states", "snapshots"] {
                let query = fixture.sql(&format!("SELECT count(*) FROM @{table}"));
                let query = sqlx::query_scalar::<_, i64>(query);
                let count = query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap();
                assert_eq!(count, 1 + MANY as i64, "{table}");
            }
        });
    }
}

/// The transaction is over then, and the connection can be used for the next one.
#[test]
fn a_connection_whose_commits_are_refused_is_kept() {
    let settings = PostgresSettings::default().with_transaction_pooling(true);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        let refuse = "CREATE FUNCTION @refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'refused by process %', pg_backend_pid() USING ERRCODE = '40001';
            END
            $$;
            CREATE CONSTRAINT TRIGGER refusal AFTER INSERT ON @events
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @refuse();";
        run(fixture, refuse).await;
        let refused = async || {
            let refused = writer.each(&[account(1)], 1, 10).await.unwrap_err();
            assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");
            refused.source().unwrap().to_string()
        };
        let (first, second) = (refused().await, refused().await);
        assert!(first.contains("refused by process"), "{first}");
        assert_eq!(first, second, "it is the same connection");
        run(fixture, "DROP FUNCTION @refuse CASCADE").await;
        writer.write(&account(1), 1).await;
    });
}

async fn run(fixture: &PostgresFixture, statements: &str) {
    let statements = fixture.sql(statements);
    sqlx::raw_sql(statements).execute(&mut fixture.foreign_connection().await).await.unwrap();
}

async fn append(writer: &Writer<'_>, keys: &[EntityKey]) {
    let outcomes = writer.each(keys, 0, 10).await.unwrap();
    assert_eq!(outcomes.len(), keys.len());
    assert!(outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. })));
}

async fn put(store: &PostgresStore, writer: &Writer<'_>, keys: &[EntityKey]) {
    let writes = keys.iter().flat_map(|key| writer.put(key, 0).writes).collect();
    let batch = StateBatch { incarnation: writer.incarnation, writes };
    let outcomes = store.write(&batch).await.unwrap();
    assert_eq!(outcomes, vec![StateOutcome::Written; keys.len()]);
}

async fn save(store: &PostgresStore, keys: &[EntityKey]) {
    let snapshot = |key: &EntityKey| Snapshot {
        entity: key.clone(),
        sequence_nr: SequenceNr::new(1),
        timestamp: Timestamp::default(),
        state: event("state").payload,
        recent_commands: Bytes::new(),
    };
    store.save(&keys.iter().map(snapshot).collect::<Vec<_>>()).await.unwrap();
}
