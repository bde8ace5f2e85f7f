//! A server that is full, slow, in the way of itself, or ends connections while a journal is open.

use crate::{
    bounded::{run_on, until},
    fixture::PostgresFixture,
    sample::{Writer, account, claim, event, head_of},
};
use actum_model::{EntityKey, Lane, Position};
use actum_persistence::store::{
    AppendOutcome, ClaimError, EventFilter, EventStore, PageLimit, Resolution, StoreError,
    WriterStore,
};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use sqlx::Executor;
use std::{error::Error, time::Duration};

fn journal() -> PostgresFixture {
    PostgresFixture::with(PostgresSettings::default())
}

async fn run(fixture: &PostgresFixture, statements: &str) {
    let statements = fixture.sql(statements);
    sqlx::raw_sql(statements).execute(&mut fixture.foreign_connection().await).await.unwrap();
}

async fn number(fixture: &PostgresFixture, query: &str) -> i64 {
    let query = sqlx::query_scalar(fixture.sql(query));
    query.fetch_one(&mut fixture.foreign_connection().await).await.unwrap()
}

/// It is unavailable, and the cause says so.
fn assert_unavailable<T: std::fmt::Debug>(result: &Result<T, StoreError>, says: &str) {
    match result {
        Err(error @ StoreError::Unavailable { .. }) => {
            let cause = error.source().unwrap().to_string();
            assert!(cause.contains(says), "{cause} does not say `{says}`");
        }
        other => panic!("{other:?}"),
    }
}

fn is_stored(outcomes: &[AppendOutcome]) -> bool {
    outcomes.iter().all(|outcome| matches!(outcome, AppendOutcome::Appended { .. }))
}

/// Makes inserting events fail: for as long as the sequence `@trouble` has not been counted up to `times`. Numbers of
/// sequences are not rolled back.
async fn make_trouble(fixture: &PostgresFixture, code: &str, times: u32) {
    run(
        fixture,
        &format!(
            "CREATE SEQUENCE @trouble;
            CREATE FUNCTION @make_trouble() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('@trouble') <= {times} THEN
                    RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}';
                END IF;
                RETURN NULL;
            END
            $$;
            CREATE TRIGGER trouble AFTER INSERT ON @events FOR EACH STATEMENT EXECUTE FUNCTION @make_trouble();"
        ),
    )
    .await;
}

/// What a disk that is really full does cannot be provoked everywhere: a trigger raises what the server would.
#[test]
fn a_full_disk_stores_nothing_of_the_batch_and_the_store_goes_on_when_there_is_room() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let keys: Vec<EntityKey> = (0..10).map(account).collect();
        writer.each(&keys, 0, 10).await.unwrap();
        for (code, nr) in [("53100", 1), ("53200", 2), ("58030", 3)] {
            make_trouble(fixture, code, 2).await;
            for _ in 0..2 {
                assert_unavailable(&writer.each(&keys, nr, 10).await, &format!("SQLSTATE {code}"));
            }
            assert_eq!(head_of(&store, &keys[9]).await, nr, "none of a batch");
            assert!(is_stored(&writer.each(&keys, nr, 10).await.unwrap()), "there is room again");
            run(fixture, "DROP FUNCTION @make_trouble CASCADE; DROP SEQUENCE @trouble").await;
        }
        let (filter, limit) = (EventFilter::default(), PageLimit::default());
        let page = store.read_lane(Lane::default(), Position::ZERO, &filter, limit).await.unwrap();
        let positions: Vec<u64> =
            page.events.iter().map(|read| read.event.position.get()).collect();
        assert_eq!(positions, (1..=40).collect::<Vec<_>>(), "no hole where a batch failed");
    });
}

#[test]
fn a_batch_that_another_transaction_crossed_is_sent_again_and_stored_once() {
    run_on(journal(), async |fixture| {
        for (code, nr) in [("40P01", 0), ("40001", 1)] {
            let store = fixture.store().await;
            let writer = Writer::claim_slot(&store, code).await;
            make_trouble(fixture, code, 2).await;
            assert!(is_stored(&writer.each(&[account(1)], nr, 10).await.unwrap()));
            assert_eq!(number(fixture, "SELECT last_value FROM @trouble").await, 3);
            assert_eq!(number(fixture, "SELECT count(*) FROM @events").await, nr.cast_signed() + 1);
            run(fixture, "DROP FUNCTION @make_trouble CASCADE; DROP SEQUENCE @trouble").await;
        }
    });
}

#[test]
fn a_batch_that_is_crossed_all_the_time_is_given_up_and_was_not_stored() {
    for pooling in [false, true] {
        let settings = PostgresSettings::default().with_transaction_pooling(pooling);
        run_on(PostgresFixture::with(settings), async |fixture| {
            let store = fixture.store().await;
            let writer = Writer::claim(&store).await;
            make_trouble(fixture, "40P01", 1_000).await;
            assert_unavailable(
                &writer.each(&[account(1)], 0, 10).await,
                "trouble (SQLSTATE 40P01)",
            );
            let tries = number(fixture, "SELECT last_value FROM @trouble").await;
            assert!((2..=10).contains(&tries), "{tries} tries");
            run(fixture, "DROP FUNCTION @make_trouble CASCADE").await;
            assert_eq!(head_of(&store, &account(1)).await, 0);
            writer.write(&account(1), 0).await;
        });
    }
}

/// Two writers that take two rows in opposite order, as no two of this store do.
#[test]
fn a_deadlock_with_a_foreign_session_is_survived() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        let mut foreign = fixture.foreign_connection().await;
        // the store gives up first, no matter which one the server looks at
        foreign.execute("SET deadlock_timeout = '30s'; BEGIN").await.unwrap();
        foreign.execute(fixture.sql("LOCK TABLE @events IN SHARE MODE")).await.unwrap();
        let appending = async { writer.each(&[account(1)], 1, 10).await };
        let crossing = async {
            let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '@events'::regclass";
            until("the append waits", async || number(fixture, waits).await == 1).await;
            let lane = "SELECT pg_advisory_xact_lock(lock_space, 0) FROM @journal";
            let crossed = foreign.execute(fixture.sql(lane)).await;
            foreign.execute("ROLLBACK").await.unwrap();
            crossed
        };
        let (appended, crossed) = tokio::join!(appending, crossing);
        assert!(is_stored(&appended.unwrap()));
        crossed.expect("the append was given up, and sent again");
        assert_eq!(head_of(&store, &account(1)).await, 2);
    });
}

#[test]
fn a_lane_that_another_session_holds_is_unavailable_and_can_be_read() {
    let settings = PostgresSettings::default().with_lock_timeout(Duration::from_millis(50));
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        let mut foreign = fixture.foreign_connection().await;
        foreign.execute("BEGIN").await.unwrap();
        let tables = "LOCK TABLE @events, @writers IN SHARE ROW EXCLUSIVE MODE";
        foreign.execute(fixture.sql(tables)).await.unwrap();
        let late = "due to lock timeout (SQLSTATE 55P03)";
        assert_unavailable(&writer.each(&[account(1)], 1, 10).await, late);
        assert_unavailable(&store.revoke(writer.incarnation).await, late);
        let batch = writer.batch(vec![writer.append(&account(1), 1, vec![event("one")])]);
        assert_unavailable(&store.resolve(&batch).await, late);
        match store.claim(&claim("another")).await {
            Err(ClaimError::Held { .. }) => {} // the holder is alive, that can be seen
            other => panic!("{other:?}"),
        }
        assert_eq!(head_of(&store, &account(1)).await, 1);
        foreign.execute("ROLLBACK").await.unwrap();
        writer.write(&account(1), 1).await;
    });
}

#[test]
fn a_statement_that_takes_too_long_is_given_up_by_the_server() {
    run_on(journal(), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        let slow = "CREATE FUNCTION @slow() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
            CREATE TRIGGER slow AFTER INSERT ON @events FOR EACH STATEMENT EXECUTE FUNCTION @slow();";
        run(fixture, slow).await;
        // long enough to open the journal on a machine that has much else to do
        let (lock, statement) = (Duration::from_secs(1), Duration::from_secs(2));
        let impatient =
            fixture.settings().with_lock_timeout(lock).with_statement_timeout(statement);
        let impatient = PostgresStore::connect_with(fixture.url(), impatient).await.unwrap();
        let late = Writer::of(&impatient, writer.incarnation).each(&[account(1)], 0, 10).await;
        assert_unavailable(&late, "due to statement timeout (SQLSTATE 57014)");
        run(fixture, "DROP FUNCTION @slow CASCADE").await;
        writer.write(&account(1), 0).await;
    });
}

#[test]
fn connections_that_the_server_ends_between_calls_cost_no_one_anything() {
    let settings = PostgresSettings::default().with_ping_after_idle(Duration::ZERO);
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        for nr in 0..3 {
            writer.write(&account(1), nr).await;
            assert_eq!(head_of(&store, &account(1)).await, nr + 1);
            end_connections(fixture).await;
        }
    });
}

#[test]
fn a_read_on_a_connection_that_the_server_has_ended_goes_to_another() {
    let settings = PostgresSettings::default().with_ping_after_idle(Duration::from_secs(3600));
    run_on(PostgresFixture::with(settings), async |fixture| {
        let store = fixture.store().await;
        let writer = Writer::claim(&store).await;
        writer.write(&account(1), 0).await;
        for _ in 0..3 {
            end_connections(fixture).await;
            assert_eq!(head_of(&store, &account(1)).await, 1);
        }
        end_connections(fixture).await;
        let batch = writer.batch(vec![writer.append(&account(1), 1, vec![event("one")])]);
        let unknown = store.append(&batch).await.unwrap_err();
        assert!(matches!(unknown, StoreError::OutcomeUnknown { .. }), "{unknown:?}");
        let cause = unknown.source().unwrap().to_string();
        assert!(cause.contains("terminating connection"), "{cause}");
        let mut settled = Err(unknown);
        until("it is settled", async || {
            settled = store.resolve(&batch).await;
            settled.is_ok()
        })
        .await;
        assert_eq!(settled.unwrap(), [Resolution::NotStored]);
        assert!(is_stored(&store.append(&batch).await.unwrap()));
    });
}

/// Ends the connections of this test's store, and waits until they have ended.
async fn end_connections(fixture: &PostgresFixture) {
    let schema = fixture.settings().schema;
    let query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'actum' AND query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid()";
    let mut foreign = fixture.foreign_connection().await;
    until("the connections have ended", async || {
        let query = sqlx::query_scalar::<_, i64>(query).bind(&schema);
        query.fetch_one(&mut foreign).await.unwrap() == 0
    })
    .await;
}
