//! A server that comes back without its last commits: an old backup, or a replica that had not got everything. What was
//! acknowledged and lost is lost; but nothing may be built on it.

use crate::{
    bounded::{run, until},
    private::PrivateServer,
    writer::{LONG_LEASE, Writer, account, claim_of, payload},
};
use actum_model::{SequenceNr, Timestamp};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityRead, EventStore, PageLimit, RecoveryRead, RecoveryStore,
    Resolution, Snapshot, SnapshotStore, StoreError, WriterStore,
};
use actum_store_postgres::PostgresSettings;
use actum_test_servers::{PostgresServer, ServerError, StopMode};
use bytes::Bytes;
use std::{path::Path, process::Command, sync::Arc};

/// Copies the data of a server that does not run to a place beside it, or back.
fn copy(from: &Path, to: &Path) {
    let delete = Command::new("rm").arg("-rf").arg(to).status().unwrap();
    let copy = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(delete.success() && copy.success());
}

fn keep(server: &mut PostgresServer) -> Result<(), ServerError> {
    server.stop(StopMode::Fast)?;
    copy(&server.data_dir(), &server.data_dir().with_extension("old"));
    server.start_again()
}

fn bring_back(server: &mut PostgresServer) -> Result<(), ServerError> {
    server.kill()?;
    copy(&server.data_dir().with_extension("old"), &server.data_dir());
    server.start_again()
}

/// Both ways to use connections.
fn both() -> [PostgresSettings; 2] {
    let settings = PostgresSettings::default();
    [settings.clone(), settings.with_transaction_pooling(true)]
}

/// Appends one event, as soon as the server is back and the store has noticed.
async fn append(writer: &Writer, nr: usize, expected: u64) -> AppendOutcome {
    let batch = writer.one(&account(nr), expected, "x");
    let mut outcome = None;
    until("the server comes back", async || {
        match writer.store.append(&batch).await {
            Ok(outcomes) => outcome = Some(outcomes[0]),
            Err(StoreError::Unavailable { .. }) => {}
            Err(StoreError::OutcomeUnknown { .. }) => settle(writer, &batch).await,
            Err(error) => panic!("{error:?}"),
        }
        outcome.is_some()
    })
    .await;
    outcome.unwrap()
}

/// Settles a batch that was sent into nothing.
async fn settle(writer: &Writer, batch: &AppendBatch) {
    until("the batch is settled", async || match writer.store.resolve(batch).await {
        Ok(outcomes) => {
            assert_eq!(outcomes, [Resolution::NotStored]);
            true
        }
        Err(error) => {
            assert!(!matches!(error, StoreError::Fenced { .. }), "{error:?}");
            false
        }
    })
    .await;
}

fn conflict(actual: u64) -> AppendOutcome {
    AppendOutcome::Conflict { actual: SequenceNr::new(actual) }
}

fn is_appended(outcome: AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Appended { .. })
}

/// Whether a call was refused for good; it may fail otherwise before, on a connection that the server has forgotten.
fn is_fenced<T: std::fmt::Debug>(done: Result<T, StoreError>) -> bool {
    match done {
        Err(StoreError::Fenced { .. }) => true,
        Err(_) => false,
        Ok(done) => panic!("another incarnation's number was enough: {done:?}"),
    }
}

async fn numbers(writer: &Writer, nr: usize) -> Vec<u64> {
    let read = EntityRead { entity: account(nr), after: SequenceNr::ZERO };
    let pages = writer.store.read_entities(&[read], PageLimit::default()).await.unwrap();
    pages[0].events.iter().map(|event| event.sequence_nr.get()).collect()
}

#[test]
fn entities_of_a_lost_history_are_not_taken_for_others() {
    let Some(server) = PrivateServer::start() else { return };
    for settings in both() {
        let settings = settings.with_schema(actum_test_servers::unique_name("journal"));
        run(async {
            let writer = Writer::claim(server.store(settings).await).await;
            assert!(is_appended(append(&writer, 0, 0).await));
            server.change(keep).await;
            for nr in 1..=80 {
                assert!(is_appended(append(&writer, nr, 0).await));
            }
            server.change(bring_back).await;
            // new ones get the keys that the lost ones had
            assert!(is_appended(append(&writer, 101, 0).await));
            assert!(is_appended(append(&writer, 102, 0).await));
            assert_eq!(append(&writer, 1, 1).await, conflict(0));
            assert!(is_appended(append(&writer, 32, 0).await));
            assert_eq!(numbers(&writer, 1).await, [0; 0]);
            for nr in [0, 101, 102, 32] {
                assert_eq!(numbers(&writer, nr).await, [1], "account {nr}");
            }
            let lane = actum_model::Lane::default();
            let all = Default::default();
            let after = actum_model::Position::ZERO;
            let page = writer.store.read_lane(lane, after, &all, PageLimit::default()).await;
            assert_eq!(page.unwrap().events.len(), 4);
        });
    }
}

#[test]
fn a_lane_that_has_grown_again_to_where_it_was_is_not_taken_for_the_same() {
    let Some(server) = PrivateServer::start() else { return };
    for settings in both() {
        let settings = settings.with_schema(actum_test_servers::unique_name("journal"));
        run(async {
            let writer = Writer::claim(server.store(settings.clone()).await).await;
            assert!(is_appended(append(&writer, 1, 0).await));
            let other = Arc::new(server.store(settings).await);
            let other = Writer::claim_slot(other, "other").await;
            server.change(keep).await;
            for expected in [1, 2] {
                assert!(is_appended(append(&writer, 1, expected).await));
            }
            server.change(bring_back).await;
            for expected in [0, 1] {
                assert!(is_appended(append(&other, 2, expected).await));
            }
            assert_eq!(append(&writer, 1, 3).await, conflict(1), "a gap would never close");
            assert!(is_appended(append(&writer, 1, 1).await));
            assert_eq!(numbers(&writer, 1).await, [1, 2]);
        });
    }
}

#[test]
fn a_writer_whose_number_was_given_out_again_is_fenced() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let first = Writer::claim(server.store(PostgresSettings::default()).await).await;
        server.change(keep).await;
        let other = Arc::new(server.store(PostgresSettings::default()).await);
        let lost = Writer::claim_slot(Arc::clone(&other), "second").await;
        server.change(bring_back).await;
        assert!(is_appended(append(&first, 1, 0).await), "it was claimed before");
        let mut successor = None;
        until("the slot is claimed", async || {
            successor = first.store.claim(&claim_of("second", LONG_LEASE)).await.ok();
            successor.is_some()
        })
        .await;
        let successor = successor.unwrap();
        assert_eq!(successor, lost.incarnation, "this proves nothing otherwise");
        let batch = lost.one(&account(2), 0, "x");
        until("the append is fenced", async || is_fenced(other.append(&batch).await)).await;
        until("the renewal is fenced", async || {
            is_fenced(other.renew(lost.incarnation, LONG_LEASE).await)
        })
        .await;
        let successor = Writer::of(Arc::clone(&first.store), successor);
        assert!(is_appended(append(&successor, 3, 0).await));
    });
}

#[test]
fn a_settlement_that_was_lost_fences_no_one() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let writer = Writer::claim(server.store(PostgresSettings::default()).await).await;
        server.change(keep).await;
        let never_sent = writer.one(&account(1), 0, "never sent");
        for _ in 0..3 {
            settle(&writer, &never_sent).await;
        }
        server.change(bring_back).await;
        assert!(is_appended(append(&writer, 1, 0).await));
    });
}

#[test]
fn a_snapshot_of_lost_events_is_the_state_of_nothing() {
    let Some(server) = PrivateServer::start() else { return };
    run(async {
        let writer = Writer::claim(server.store(PostgresSettings::default()).await).await;
        assert!(is_appended(append(&writer, 1, 0).await));
        let snapshot = |nr| Snapshot {
            entity: account(1),
            sequence_nr: SequenceNr::new(nr),
            timestamp: Timestamp::from_micros(0),
            state: payload("state"),
            recent_commands: Bytes::new(),
        };
        // saved late, when the events it covers are gone
        writer.store.save(&[snapshot(1), snapshot(3)]).await.unwrap();
        let read = RecoveryRead { entity: account(1), snapshot: true };
        let found = writer.store.recover(&[read], PageLimit::default()).await.unwrap();
        assert_eq!(found[0].snapshot, Some(snapshot(1)));
        assert_eq!(found[0].page.head, SequenceNr::new(1));
    });
}
