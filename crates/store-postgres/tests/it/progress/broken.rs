//! Handlers that end their transaction, or do not mind that it has failed.

use super::sample::run_on_each;
use actum_persistence::progress::{ExactTarget, ProgressChange, SaveError};
use actum_store_postgres::PostgresTarget;

/// What a handler does, whether its error is passed on, and the rows that are there in the end: those that it has
/// committed by itself.
const HANDLERS: [(&str, &[i64]); 10] = [
    ("ROLLBACK", &[]),
    ("ROLLBACK; INSERT INTO @rows VALUES (2)", &[2]),
    ("ROLLBACK AND CHAIN", &[]),
    ("ROLLBACK; BEGIN; INSERT INTO @rows VALUES (2)", &[]),
    ("COMMIT", &[1]),
    ("COMMIT AND CHAIN; INSERT INTO @rows VALUES (2)", &[1]),
    ("COMMIT; BEGIN; INSERT INTO @rows VALUES (2)", &[1]),
    ("INSERT INTO @rows VALUES (1)", &[]), // a duplicate
    ("SELECT 1 / 0", &[]),
    ("RESET ALL", &[]),
];

#[test]
fn progress_is_not_kept_without_the_transaction_it_belongs_to() {
    run_on_each(&async |fixture, sample| {
        for (handler, left) in HANDLERS {
            for is_save in [true, false] {
                let mut tx = sample.begin_with_row(1).await;
                let _ = sample.run(&mut tx, handler).await; // swallowed
                let nothing = ProgressChange::Nothing;
                let change = if is_save { sample.save(5) } else { nothing };
                let broken = sample.target.commit(tx, &change).await.unwrap_err();
                assert!(matches!(broken, SaveError::Broken { .. }), "{handler}: {broken:?}");
                assert_eq!(sample.position().await, 0, "{handler}");
                assert_eq!(sample.rows(fixture).await, left, "{handler}");
                let mut tx = sample.begin().await;
                sample.run(&mut tx, "DELETE FROM @rows").await.unwrap();
                sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
            }
        }
    });
}

#[test]
fn an_error_that_a_handler_took_back_to_a_savepoint_breaks_nothing() {
    run_on_each(&async |fixture, sample| {
        let mut tx = sample.begin_with_row(1).await;
        sample.run(&mut tx, "SAVEPOINT mine").await.unwrap();
        sample.run(&mut tx, "SELECT 1 / 0").await.unwrap_err();
        sample.run(&mut tx, "ROLLBACK TO SAVEPOINT mine").await.unwrap();
        sample.commit(tx, 5).await.unwrap();
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![1]));
    });
}

/// The server finds out at the commit: that is the rows' fault, and not that of the database.
#[test]
fn a_constraint_that_fails_at_the_commit_keeps_nothing_and_is_named() {
    run_on_each(&async |fixture, sample| {
        let mut tx = sample.begin().await;
        let later = "ALTER TABLE @rows ADD UNIQUE (nr) DEFERRABLE INITIALLY DEFERRED;
            ALTER TABLE @rows DROP CONSTRAINT rows_pkey";
        sample.run(&mut tx, later).await.unwrap();
        sample.commit(tx, 1).await.unwrap();
        let mut tx = sample.begin_with_row(1).await;
        sample.write(PostgresTarget::connection(&mut tx), 1).await;
        let broken = sample.commit(tx, 5).await.unwrap_err();
        let SaveError::Broken { cause: Some(cause) } = broken else { panic!("{broken:?}") };
        assert!(cause.to_string().contains("rows_nr_key"), "{cause}");
        assert_eq!((sample.position().await, sample.rows(fixture).await), (1, vec![]));
    });
}
