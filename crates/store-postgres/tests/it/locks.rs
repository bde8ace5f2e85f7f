//! Other programs that hold locks, and statements that take too long.

use crate::{
    bounded::run_on,
    fixture::PostgresFixture,
    foreign_session::ForeignSession,
    reader::texts,
    writer::{Writer, account},
};
use actum_persistence::store::{DurableStateStore, StoreError};
use actum_store_postgres::PostgresSettings;
use std::time::Duration;

/// How often a deadlock is tried.
const ATTEMPTS: u64 = 10;

fn impatient() -> PostgresSettings {
    PostgresSettings::default().with_lock_timeout(Duration::from_millis(200))
}

/// The two ways a call commits.
fn modes(settings: &PostgresSettings) -> [PostgresFixture; 2] {
    let pooled = settings.clone().with_transaction_pooling(true);
    [PostgresFixture::with(settings.clone()), PostgresFixture::with(pooled)]
}

#[test]
fn an_append_that_waits_too_long_for_a_lock_stores_nothing() {
    let locks = [
        "SELECT pg_advisory_xact_lock(lock_space, 0) FROM @journal",
        "LOCK TABLE @events IN SHARE MODE",
        "LOCK TABLE @entities IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE @writers IN ACCESS EXCLUSIVE MODE",
    ];
    for journal in modes(&impatient()) {
        run_on(journal, async |journal| {
            let writer = Writer::claim(journal.store().await).await;
            let mut foreign = ForeignSession::beside(journal).await;
            let mut expected = Vec::new();
            for (lock, nr) in locks.into_iter().zip(0..) {
                foreign.run("BEGIN").await;
                foreign.run(lock).await;
                let error = writer.try_write(&account(nr), 0, "in vain").await.unwrap_err();
                assert!(matches!(error, StoreError::Unavailable { .. }), "{lock}: {error:?}");
                foreign.run("COMMIT").await;
                assert_eq!(texts(&writer.store).await, expected, "{lock}");
                writer.write(&account(nr), 0, lock).await;
                expected.push(lock.to_owned());
            }
        });
    }
}

#[test]
fn a_state_write_that_waits_too_long_for_a_lock_stores_nothing() {
    for journal in modes(&impatient()) {
        run_on(journal, async |journal| {
            let writer = Writer::claim(journal.store().await).await;
            let mut foreign = ForeignSession::beside(journal).await;
            writer.store.write(&writer.put(&account(1), 0, "before")).await.unwrap();
            foreign.run("BEGIN; SELECT * FROM @states FOR UPDATE").await;
            let in_vain = writer.put(&account(1), 1, "in vain");
            let error = writer.store.write(&in_vain).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
            foreign.run("COMMIT").await;
            let found = writer.store.load(&[account(1)]).await.unwrap();
            assert_eq!(found[0].as_ref().unwrap().revision.get(), 1);
            writer.store.write(&writer.put(&account(1), 1, "after")).await.unwrap();
        });
    }
}

/// Two transactions that wait for each other: the server gives up the one that has waited longer, which is the store's
/// unless the machine is slow. It goes again.
#[test]
fn an_append_survives_deadlocks() {
    for journal in modes(&PostgresSettings::default()) {
        run_on(journal, async |journal| {
            let writer = Writer::claim(journal.store().await).await;
            let mut foreign = ForeignSession::beside(journal).await;
            for attempt in 0..ATTEMPTS {
                foreign.run("BEGIN; LOCK TABLE @events IN SHARE MODE").await;
                let appending = writer.spawn_write(&account(1), attempt, "event");
                foreign.is_waited_for(1).await;
                let lane = "SELECT pg_advisory_xact_lock(lock_space, 0) FROM @journal";
                let crossed = foreign.try_run(lane).await.is_ok();
                foreign.run("ROLLBACK").await;
                appending.await.unwrap().unwrap();
                assert_eq!(texts(&writer.store).await, vec!["event"; attempt as usize + 1]);
                if crossed {
                    return;
                }
            }
            panic!("it was the foreign session that was given up, {ATTEMPTS} times");
        });
    }
}

#[test]
fn a_state_write_survives_deadlocks() {
    for journal in modes(&PostgresSettings::default()) {
        run_on(journal, async |journal| {
            let writer = Writer::claim(journal.store().await).await;
            let key = account(1);
            writer.store.write(&writer.put(&key, 0, "before")).await.unwrap();
            let mut foreign = ForeignSession::beside(journal).await;
            for attempt in 1..=ATTEMPTS {
                foreign.run("BEGIN; SELECT * FROM @states FOR UPDATE").await;
                let (batch, other) = (writer.put(&key, attempt, "after"), writer.clone());
                let writing = tokio::spawn(async move { other.store.write(&batch).await });
                foreign.is_waited_for(1).await;
                let fence = format!("(lock_space, -1 - {}) FROM @journal", writer.incarnation);
                let fence = format!("SELECT pg_advisory_xact_lock{fence}");
                let crossed = foreign.try_run(&fence).await.is_ok();
                foreign.run("ROLLBACK").await;
                writing.await.unwrap().unwrap();
                let found = writer.store.load(std::slice::from_ref(&key)).await.unwrap();
                assert_eq!(found[0].as_ref().unwrap().revision.get(), attempt + 1);
                if crossed {
                    return;
                }
            }
            panic!("it was the foreign session that was given up, {ATTEMPTS} times");
        });
    }
}

#[test]
fn an_append_that_takes_too_long_stores_nothing() {
    // long enough for the others, on a busy machine too
    let settings = impatient().with_statement_timeout(Duration::from_secs(4));
    for journal in modes(&settings) {
        run_on(journal, async |journal| {
            let writer = Writer::claim(journal.store().await).await;
            let mut foreign = ForeignSession::beside(journal).await;
            foreign
                .run(
                    "CREATE FUNCTION @sleep() RETURNS trigger LANGUAGE plpgsql AS
                        'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
                    CREATE TRIGGER slow BEFORE INSERT ON @events FOR EACH ROW
                        WHEN (NEW.payload = 'slow'::bytea) EXECUTE FUNCTION @sleep()",
                )
                .await;
            writer.write(&account(1), 0, "before").await;
            let batch = writer.batch(vec![
                writer.append(&account(2), 0, &["quick"]),
                writer.append(&account(1), 1, &["quick", "slow"]),
            ]);
            let error = actum_persistence::store::EventStore::append(&*writer.store, &batch).await;
            assert!(matches!(error, Err(StoreError::Unavailable { .. })), "{error:?}");
            writer.write(&account(1), 1, "after").await;
            assert_eq!(texts(&writer.store).await, ["before", "after"]);
        });
    }
}
