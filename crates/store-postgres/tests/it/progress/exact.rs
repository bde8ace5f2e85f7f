//! Rows and progress are committed together, or neither is.

use super::sample::{OPEN_MAX, Sample, claim, run_on_each};
use crate::{bounded::within, fixture::foreign_connection, foreign_session::ForeignSession};
use actum_persistence::progress::{ExactTarget, ProgressChange, SaveError};
use actum_store_postgres::PostgresTarget;
use sqlx::{Connection, Row};
use std::time::Duration;

#[test]
fn rows_and_progress_are_committed_together() {
    run_on_each(&async |fixture, sample| {
        let tx = sample.begin_with_row(1).await;
        assert_eq!((sample.position().await, sample.rows(fixture).await), (0, vec![]));
        sample.commit(tx, 5).await.unwrap();
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![1]));

        let tx = sample.begin_with_row(2).await;
        sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![1, 2]));

        let tx = sample.begin_with_row(3).await;
        sample.target.rollback(tx).await;
        drop(sample.begin_with_row(3).await);
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![1, 2]));
    });
}

/// Without a lock `IF NOT EXISTS` of the second one fails when the first one commits.
#[test]
fn processes_that_set_up_together_do_so_one_after_the_other() {
    run_on_each(&async |_, sample| {
        let create = "CREATE TABLE IF NOT EXISTS @made (nr bigint PRIMARY KEY)";
        let set_up = async || {
            let mut tx = sample.target.begin_set_up(OPEN_MAX).await.unwrap();
            sample.run(&mut tx, create).await.unwrap();
            sample.target.commit(tx, &ProgressChange::Nothing).await.unwrap();
        };
        tokio::join!(set_up(), set_up(), set_up(), set_up());
    });
}

#[test]
fn an_open_transaction_keeps_no_one_from_claiming_and_is_stale_then() {
    run_on_each(&async |fixture, sample| {
        let tx = sample.begin_with_row(1).await;
        let soon = Duration::from_secs(2);
        let taking = claim(&sample.target, &sample.claimed, "runner 2");
        let taken = within(soon, "a claim", taking).await.unwrap();
        let stale = sample.commit(tx, 5).await.unwrap_err();
        assert!(matches!(stale, SaveError::Stale), "{stale:?}");
        assert_eq!((sample.position().await, sample.rows(fixture).await), (0, vec![]));
        assert_eq!(sample.stored().await, taken);
    });
}

/// The claim waits for the commit, and finds what was saved.
#[test]
fn a_commit_that_was_first_is_seen_by_the_claim() {
    run_on_each(&async |fixture, sample| {
        for nr in 1..=20 {
            let claimed = sample.stored().await;
            let mut save = sample.progress_save(5);
            save.epoch = claimed.epoch;
            let tx = sample.begin_with_row(nr).await;
            let runner = format!("runner {nr}");
            let save = ProgressChange::Save(save);
            let (saved, taken) = tokio::join!(
                sample.target.commit(tx, &save),
                claim(&sample.target, &claimed, &runner)
            );
            let taken = taken.unwrap();
            assert_eq!(taken.handled - claimed.handled, u64::from(saved.is_ok()), "{saved:?}");
            assert_eq!(sample.rows(fixture).await.contains(&nr), saved.is_ok());
        }
    });
}

#[test]
fn what_a_handler_begins_by_means_of_sqlx_is_a_savepoint() {
    run_on_each(&async |fixture, sample| {
        let mut tx = sample.begin_with_row(1).await;
        let rows = PostgresTarget::connection(&mut tx);
        let mut inside = rows.begin().await.unwrap();
        sample.write(&mut inside, 2).await;
        inside.commit().await.unwrap();
        let mut inside = rows.begin().await.unwrap();
        sample.write(&mut inside, 3).await;
        inside.rollback().await.unwrap();
        let mut inside = rows.begin().await.unwrap();
        sample.write(&mut inside, 4).await;
        drop(inside);
        sample.commit(tx, 5).await.unwrap();
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![1, 2]));
    });
}

#[test]
fn transactions_are_used_side_by_side() {
    run_on_each(&async |fixture, sample| {
        let (one, other) = (sample.begin_with_row(1).await, sample.begin_with_row(2).await);
        sample.target.rollback(one).await;
        sample.commit(other, 5).await.unwrap();
        assert_eq!((sample.position().await, sample.rows(fixture).await), (5, vec![2]));
    });
}

/// The transaction is left while a statement runs: the server does not go on with it, and the connection serves no one else.
#[test]
fn a_statement_that_was_given_up_does_not_run_on() {
    run_on_each(&async |fixture, sample| {
        for is_dropped in [true, false] {
            // longer than the test waits: no time-out of a statement ends it
            let mut tx = sample.target.begin(Duration::from_secs(90)).await.unwrap();
            sample.write(PostgresTarget::connection(&mut tx), 1).await;
            let pid = sqlx::query("SELECT pg_backend_pid()");
            let pid = pid.fetch_one(PostgresTarget::connection(&mut tx)).await.unwrap();
            let pid: i32 = pid.get(0);
            let long = sample.run(&mut tx, "SELECT pg_sleep(80)");
            let given_up = tokio::time::timeout(Duration::from_millis(50), long).await;
            given_up.unwrap_err();
            if is_dropped {
                drop(tx);
            } else {
                sample.target.rollback(tx).await;
            }
            let mut next = sample.target.begin(OPEN_MAX).await.unwrap();
            sample.run(&mut next, "SELECT 1").await.unwrap();
            let mut foreign = foreign_connection(fixture.url()).await;
            crate::bounded::until("the statement has ended", async || {
                let busy = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND query LIKE '%pg_sleep%'";
                let busy = sqlx::query(busy).bind(pid).fetch_one(&mut foreign).await.unwrap();
                busy.get::<i64, _>(0) == 0
            })
            .await;
            sample.target.rollback(next).await;
            assert_eq!((sample.position().await, sample.rows(fixture).await), (0, vec![]));
        }
    });
}

/// Of a hundred, no one got a connection that was in the middle of something.
#[test]
fn transactions_that_are_left_at_any_moment_leave_nothing() {
    run_on_each(&async |fixture, sample| {
        for nr in 0..60 {
            let patience = Duration::from_micros(100 * nr);
            let work = async {
                let tx = sample.begin_with_row(1).await;
                sample.target.rollback(tx).await;
            };
            let _ = tokio::time::timeout(patience, work).await;
            assert_eq!(sample.rows(fixture).await, Vec::<i64>::new());
        }
        let tx = sample.begin_with_row(1).await;
        sample.commit(tx, 5).await.unwrap();
        assert_eq!(sample.rows(fixture).await, [1]);
    });
}

async fn setting(sample: &Sample, name: &'static str) -> String {
    let mut tx = sample.begin().await;
    let setting = sqlx::query("SELECT current_setting($1)").bind(name);
    let setting = setting.fetch_one(PostgresTarget::connection(&mut tx)).await.unwrap();
    sample.target.rollback(tx).await;
    setting.get(0)
}

#[test]
fn a_transaction_is_read_committed_and_its_statements_are_planned_as_those_of_others() {
    run_on_each(&async |_, sample| {
        assert_eq!(setting(sample, "transaction_isolation").await, "read committed");
        assert_eq!(setting(sample, "enable_seqscan").await, "on");
        assert_eq!(setting(sample, "statement_timeout").await, "20s");
        assert_eq!(setting(sample, "idle_in_transaction_session_timeout").await, "20s");
    });
}

/// What the owner does while the claim waits counts.
#[test]
fn an_owner_that_renews_while_a_claim_waits_for_the_segment_keeps_it() {
    run_on_each(&async |fixture, sample| {
        let (progress, id) = (sample.target.progress(), super::sample::projection());
        let mut foreign = ForeignSession::connect(fixture.url(), &sample.schema).await;
        foreign.run("BEGIN; UPDATE @segments SET handled = 7").await;
        let taking = claim(&sample.target, &sample.claimed, "runner 2");
        let renewing = async {
            foreign.is_waited_for(1).await;
            progress.renew(&id, "runner 1", &[]).await.unwrap();
            foreign.run("COMMIT").await;
        };
        let (taken, ()) = tokio::join!(taking, renewing);
        assert_eq!(taken, None);
    });
}
