//! Connections that end in the middle of a transaction, and servers that go and come back.

use super::{
    fixture::TargetFixture,
    sample::{OPEN_MAX, Sample, run_on},
};
use crate::{
    bounded::{run, until, within},
    private::PrivateServer,
    proxied::Proxied,
};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, SaveError},
    store::StoreError,
};
use actum_store_postgres::{PostgresSettings, PostgresTarget};
use actum_test_servers::{PostgresServer, StopMode};
use actum_testkit::Then;
use sqlx::Row;
use std::time::Duration;

const COMMIT: &[u8] = b"COMMIT\0";

/// The answer is lost, or the question: what is kept is rows and progress together, or neither.
#[test]
fn the_outcome_of_a_commit_that_is_cut_off_is_unknown() {
    for then in [Then::CutBefore, Then::CutAfterSending, Then::CutAfterAnswer] {
        run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
            let proxied = Proxied::start(fixture.url());
            let target = PostgresTarget::connect(&proxied.url).unwrap();
            let target = target.with_schema(&fixture.schema);
            let mut tx = target.begin(OPEN_MAX).await.unwrap();
            sample.write(PostgresTarget::connection(&mut tx), 1).await;
            let rule = proxied.proxy.on(COMMIT, then);
            let error = target.commit(tx, &sample.save(5)).await.unwrap_err();
            let SaveError::Store(StoreError::OutcomeUnknown { .. }) = error else {
                panic!("{then:?}: {error:?}")
            };
            rule.settled().await;
            let position = sample.position().await;
            match then {
                Then::CutBefore => assert_eq!(position, 0),
                Then::CutAfterAnswer => assert_eq!(position, 5),
                _ => {} // the server may have seen the end of the connection first
            }
            let rows: &[i64] = if position == 5 { &[1] } else { &[] };
            assert_eq!(sample.rows(fixture).await, rows, "{then:?}");
            // a new one serves who comes next
            let mut tx = target.begin(OPEN_MAX).await.unwrap();
            sample.write(PostgresTarget::connection(&mut tx), 2).await;
            target.commit(tx, &sample.save(9)).await.unwrap();
            assert_eq!(sample.position().await, 9);
        });
    }
}

/// Nothing that commits was sent: no one needs to ask.
#[test]
fn a_connection_that_ends_before_the_commit_is_unavailable_and_keeps_nothing() {
    for is_at_the_save in [true, false] {
        run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
            let proxied = Proxied::start(fixture.url());
            let target = PostgresTarget::connect(&proxied.url).unwrap();
            let target = target.with_schema(&fixture.schema);
            let mut tx = target.begin(OPEN_MAX).await.unwrap();
            sample.write(PostgresTarget::connection(&mut tx), 1).await;
            if is_at_the_save {
                proxied.proxy.on(b"handled", Then::CutAfterAnswer);
            } else {
                proxied.proxy.cut();
            }
            let error = target.commit(tx, &sample.save(5)).await.unwrap_err();
            let SaveError::Store(StoreError::Unavailable { .. }) = error else {
                panic!("{error:?}")
            };
            assert_eq!((sample.position().await, sample.rows(fixture).await), (0, vec![]));
        });
    }
}

/// Its process was stopped, or is gone without a word: the server rolls back and frees what it held.
#[test]
fn a_transaction_in_which_nothing_happens_is_ended_by_the_server() {
    run_on(TargetFixture::with(PostgresSettings::default()), &async |fixture, sample| {
        let open_max = Duration::from_millis(200);
        let mut tx = sample.target.begin(open_max).await.unwrap();
        let rows = PostgresTarget::connection(&mut tx);
        let pid = sqlx::query("SELECT pg_backend_pid()").fetch_one(&mut *rows).await.unwrap();
        let pid: i32 = pid.get(0);
        sample.write(rows, 1).await;
        let mut foreign = fixture.foreign_connection().await;
        until("the server has ended the transaction", async || {
            let there = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
            let there = sqlx::query(there).bind(pid).fetch_one(&mut foreign).await.unwrap();
            there.get::<i64, _>(0) == 0
        })
        .await;
        let error = sample.commit(tx, 5).await.unwrap_err();
        let SaveError::Store(StoreError::Unavailable { .. }) = error else { panic!("{error:?}") };
        assert_eq!((sample.position().await, sample.rows(fixture).await), (0, vec![]));
        // longer than the transaction may be open: the statement, which holds as much
        let mut tx = sample.target.begin(open_max).await.unwrap();
        sample.run(&mut tx, "SELECT pg_sleep(60)").await.unwrap_err();
        sample.target.rollback(tx).await;
        let tx = sample.begin_with_row(1).await;
        sample.commit(tx, 5).await.unwrap();
    });
}

/// A runner that stops between its save and its commit holds the segment: who claims it is refused in time.
#[test]
fn a_claim_does_not_wait_for_ever_for_a_transaction_that_holds_the_segment() {
    let settings = PostgresSettings::default().with_lock_timeout(Duration::from_millis(100));
    run_on(TargetFixture::with(settings), &async |_, sample| {
        let mut tx = sample.begin().await;
        sample
            .run(&mut tx, &format!("UPDATE \"{}\".segments SET handled = 7", sample.schema))
            .await
            .unwrap();
        let release = sample.target.progress();
        let (id, claimed) = (super::sample::projection(), &sample.claimed);
        let refused = release.release(&id, claimed.segment, claimed.epoch);
        let refused = within(Duration::from_secs(5), "a release", refused).await.unwrap_err();
        let SaveError::Store(StoreError::Unavailable { .. }) = refused else {
            panic!("{refused:?}")
        };
        sample.target.rollback(tx).await;
        release.release(&id, claimed.segment, claimed.epoch).await.unwrap();
    });
}

#[test]
fn a_server_that_restarts_is_used_again_and_keeps_what_was_saved() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let schema = "progress";
        let target = PostgresTarget::connect(&server.url).unwrap().with_schema(schema);
        let sample = Sample::create(target, schema).await;
        for (stop, nr) in [(StopMode::Immediate, 1), (StopMode::Fast, 2)] {
            let kept = sample.begin_with_row(10 * nr).await;
            sample.commit(kept, nr.cast_unsigned()).await.unwrap();
            let mut lost = sample.begin_with_row(nr).await;
            server.change(move |server| server.stop(stop)).await;
            let error = sample.run(&mut lost, "SELECT 1").await.unwrap_err();
            assert!(PostgresTarget::is_unavailable(&error), "{error:?}");
            let error = sample.commit(lost, 100).await.unwrap_err();
            let SaveError::Store(StoreError::Unavailable { .. }) = error else {
                panic!("{error:?}")
            };
            let refused = sample.target.begin(OPEN_MAX).await.unwrap_err();
            assert!(PostgresTarget::is_unavailable(&refused), "{refused:?}");
            server.change(PostgresServer::start_again).await;
            until("a transaction begins", async || match sample.target.begin(OPEN_MAX).await {
                Ok(tx) => sample.target.commit(tx, &ProgressChange::Nothing).await.is_ok(),
                Err(_) => false,
            })
            .await;
            until("progress is read", async || {
                let id = super::sample::projection();
                sample.target.progress().load(&id).await.is_ok()
            })
            .await;
            assert_eq!(sample.position().await, nr.cast_unsigned());
        }
    });
}
