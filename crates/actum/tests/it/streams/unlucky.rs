//! A transaction that the store or the time fails appends nothing twice, and says what is known.

use super::{Booked, Rig, SECOND, add, amounts, book};
use actum::{
    AppendError, Expected, ReadError, Stream, TransactError,
    settings::{GroupCommitSettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use std::{convert::Infallible, time::Duration};
use tokio::{task::JoinHandle, time::Instant};

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_is_found_out_is_a_success_and_booked_once() {
    let rig = Rig::start().await;
    for fault in [Fault::unknown_committed(), Fault::unknown_until_resolved()] {
        rig.faults.next(Operation::Append, fault);
        rig.ledger().transact(0, add, book(1)).await.unwrap();
    }
    assert_eq!(amounts(&rig.ledger()).await, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_stays_unknown_is_the_answer_and_is_not_tried_again() {
    let faults = actum_testkit::Faults::new();
    let store = actum_testkit::FaultStore::scripted(actum::MemoryStore::new(), &faults);
    let once = GroupCommitSettings::default().with_resolve_attempts_max(1);
    let engine = actum::Engine::builder("ledgers")
        .store(store)
        .entity::<crate::counter::Counter>(())
        .settings(RuntimeSettings::default().with_group_commit(once))
        .start()
        .await
        .unwrap();
    let rig = Rig { faults, engine };
    rig.faults.next(Operation::Append, Fault::unknown_committed());
    rig.faults.next(Operation::Resolve, Fault::unavailable());
    let mut decisions = 0;
    let decide = |_: &i64| {
        decisions += 1;
        Ok::<_, Infallible>(vec![Booked(1)])
    };
    let error = rig.ledger().transact(0, add, decide).await.unwrap_err();
    assert!(matches!(error, TransactError::Append(AppendError::OutcomeUnknown { .. })));
    assert!(error.maybe_appended());
    assert_eq!((decisions, amounts(&rig.ledger()).await), (1, vec![1]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_fails_it_at_once() {
    let rig = Rig::start().await;
    rig.faults.next(Operation::Append, Fault::unavailable());
    let error = rig.ledger().transact(0, add, book(1)).await.unwrap_err();
    assert!(matches!(error, TransactError::Append(AppendError::Unavailable { .. })));
    rig.faults.next(Operation::ReadEntities, Fault::unavailable());
    let error = rig.ledger().transact(0, add, book(1)).await.unwrap_err();
    assert!(matches!(error, TransactError::Read(ReadError::Store(_))) && !error.maybe_appended());
    rig.ledger().transact(0, add, book(1)).await.unwrap();
    assert_eq!(amounts(&rig.ledger()).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_not_decided_about() {
    let rig = Rig::start().await;
    let other: Stream<u64> = rig.engine.stream("ledger", "2026-11");
    other.append(Expected::NEW, [7]).await.unwrap();
    let error = rig.ledger().transact(0, add, book(1)).await.unwrap_err();
    assert!(matches!(error, TransactError::Read(ReadError::Undecodable { .. })), "{error}");
}

/// A transaction in a task of its own.
fn transacting(ledger: Stream<Booked>) -> JoinHandle<Result<i64, TransactError<Infallible>>> {
    tokio::spawn(async move { Ok(ledger.transact(0, add, book(1)).await?.0) })
}

/// Lets every task do what it can do, on a paused clock.
async fn all_wait() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn all_of_it_ends_at_its_deadline_wherever_it_waits() {
    let rig = Rig::start().await;
    let ledger = rig.ledger().with_timeout(2 * SECOND);
    let begun = Instant::now();
    let append = rig.faults.hold_next(Operation::Append, 1);
    let appending = transacting(ledger.clone());
    append.held(1).await;
    let waiting = transacting(ledger.with_timeout(SECOND));
    let late = waiting.await.unwrap().unwrap_err();
    assert!(matches!(late, TransactError::Append(AppendError::Timeout { maybe_appended: false })));
    assert_eq!(begun.elapsed(), SECOND);
    let late = appending.await.unwrap().unwrap_err();
    assert!(late.maybe_appended());
    assert_eq!(begun.elapsed(), 2 * SECOND);
    append.open();
    all_wait().await;

    let begun = Instant::now();
    let read = rig.faults.hold_next(Operation::ReadEntities, 1);
    let late = transacting(ledger).await.unwrap().unwrap_err();
    assert!(matches!(late, TransactError::Append(AppendError::Timeout { maybe_appended: false })));
    assert_eq!(begun.elapsed(), 2 * SECOND);
    read.open();
    let begun = Instant::now();
    let _read = rig.faults.hold_next(Operation::ReadEntities, 1);
    transacting(rig.ledger()).await.unwrap().unwrap_err();
    assert_eq!(begun.elapsed(), 5 * SECOND, "the engine's own timeout");
    assert_eq!(amounts(&rig.ledger()).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn conflicts_do_not_move_its_deadline() {
    let rig = Rig::start().await;
    let begun = Instant::now();
    let gate = actum_testkit::Gate::closed();
    rig.faults.next(Operation::Append, Fault::foreign_writer().held_before(&gate));
    let transacting = transacting(rig.ledger().with_timeout(2 * SECOND));
    gate.held(1).await;
    let next = rig.faults.hold_next(Operation::Append, 1);
    tokio::time::sleep(SECOND).await;
    gate.open();
    next.held(1).await;
    assert!(transacting.await.unwrap().unwrap_err().maybe_appended());
    assert_eq!(begun.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_dropped_lets_the_next_one_go_on() {
    let rig = Rig::start().await;
    let append = rig.faults.hold_next(Operation::Append, 1);
    let dropped = transacting(rig.ledger());
    append.held(1).await;
    let next = transacting(rig.ledger());
    all_wait().await;
    assert!(!next.is_finished());
    dropped.abort();
    all_wait().await;
    append.open();
    assert_eq!(next.await.unwrap().unwrap(), 2, "what was sent is booked");
    assert_eq!(amounts(&rig.ledger()).await, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_it_finish_or_refuses_it() {
    let rig = Rig::start().await;
    let append = rig.faults.hold_next(Operation::Append, 1);
    let (sent, waiting) = (transacting(rig.ledger()), transacting(rig.ledger()));
    append.held(1).await;
    let shutdown = tokio::spawn({
        let engine = rig.engine.clone();
        async move { engine.shutdown().await }
    });
    all_wait().await;
    append.open();
    assert_eq!(sent.await.unwrap().unwrap(), 1);
    let refused = waiting.await.unwrap().unwrap_err();
    assert!(!refused.maybe_appended());
    assert!(shutdown.await.unwrap().is_clean());
}
