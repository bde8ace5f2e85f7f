//! An engine that is fenced, suspended, failed or shut down takes no appends, and answers those it has.

use super::{SECOND, amounts, append, appending, at, ledger};
use crate::{
    account::Balance,
    rig::{Rig, account, accounts, all_wait, assert_is},
};
use actum_persistence::store::WriterStore;
use actum_runtime::{AppendError, Expected, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{error::Error, task::Poll, time::Duration};
use tokio::time::{Instant, sleep};

const LEASE: Duration = Duration::from_secs(9);

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE).with_ask_timeout(3600 * SECOND)
}

fn assert_fenced(error: &AppendError) {
    assert_is!(error, AppendError::Unavailable { .. });
    let by = error.source().map(ToString::to_string);
    let fenced = error.to_string().contains("fenced: another engine has taken over the journal");
    assert!(fenced || by.is_some_and(|by| by.contains("was revoked")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn of_two_engines_only_the_newer_one_can_append() {
    let rig = Rig::new();
    let first = rig.start_set(leased()).await;
    let a = ledger(&first, "a");
    append(&a, Expected::NEW, [1]).await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, at(1), 100);
    gate.held(1).await;
    let waiting = appending(&a, at(2), 100);
    all_wait().await;

    rig.memory.reopen().revoke(first.incarnation()).await.unwrap();
    let other = Rig::over(rig.memory.clone());
    let second = other.try_start("second", vec![accounts()], leased()).await.unwrap();
    assert_eq!(append(&ledger(&second, "a"), at(1), [2]).await.unwrap().sequence_nr.get(), 2);
    gate.open();
    for append in [sent, waiting] {
        assert_fenced(&append.await.unwrap().unwrap_err());
    }
    first.fenced().await;
    assert_fenced(&append(&a, at(2), [100]).await.unwrap_err());
    assert_fenced(&append(&a, Expected::Any, [100]).await.unwrap_err());
    assert_eq!(
        append(&ledger(&second, "a"), Expected::Any, [3]).await.unwrap().sequence_nr.get(),
        3
    );
    assert_eq!(amounts(&rig, "a").await, [1, 2, 3]);
    assert_eq!(first.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_the_lease_finds_ends_the_waits_for_a_store_that_hangs() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let waiting = appending(&a, at(1), 2);
    all_wait().await;
    rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
    engine.fenced().await;
    assert_is!(sent.await.unwrap(), Err(AppendError::OutcomeUnknown { .. }));
    assert_fenced(&waiting.await.unwrap().unwrap_err());
    assert_eq!(engine.usage().commands, 1, "the writer still has the one that was sent");
    gate.open();
    all_wait().await;
    assert_eq!((engine.usage().commands, amounts(&rig, "a").await), (0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_an_append_needs_is_not_waited_for_once_the_engine_takes_none() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    let held = a.turn(a.deadline(None)).await.unwrap();
    let turn = tokio::spawn({
        let a = a.clone();
        async move { a.turn(a.deadline(None)).await }
    });
    let read = rig.hold_next(Operation::ReadEntities);
    let reading = appending(&a, Expected::Any, 1);
    read.held(1).await;
    assert_eq!(engine.usage().commands, 1, "it counts from its beginning");
    rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
    engine.fenced().await;
    let begun = Instant::now();
    assert_fenced(&turn.await.unwrap().unwrap_err());
    assert_fenced(&reading.await.unwrap().unwrap_err());
    let _hangs = rig.hold_next(Operation::ReadEntities);
    assert_fenced(&append(&a, Expected::Any, [2]).await.unwrap_err());
    assert_eq!((begun.elapsed(), engine.usage().commands), (Duration::ZERO, 0));
    drop(held);
    assert_fenced(&a.turn(a.deadline(None)).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn while_the_lease_is_not_renewed_appends_are_refused_as_commands_are() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    append(&a, Expected::NEW, [1]).await.unwrap();
    rig.faults.always(Operation::Renew, Fault::unavailable());
    sleep(LEASE + SECOND).await;
    let lapsed = "unavailable: the writer lease could not be renewed in time";
    let asked = account(&engine, "a").ask(Balance).await.unwrap_err().to_string();
    let error = append(&a, at(1), [2]).await.unwrap_err();
    assert_eq!((error.to_string(), asked.as_str()), (lapsed.to_owned(), lapsed));
    rig.faults.stop();
    sleep(SECOND).await;
    append(&a, at(1), [3]).await.unwrap();
    assert_eq!(amounts(&rig, "a").await, [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_stalled_as_a_whole_appends_nothing_before_it_looks_after_its_lease() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    let mut advancing = std::pin::pin!(tokio::time::advance(LEASE));
    std::future::poll_fn(|context| {
        assert!(advancing.as_mut().poll(context).is_pending(), "others come first after it");
        Poll::Ready(())
    })
    .await;
    let error = append(&a, Expected::NEW, [1]).await.unwrap_err();
    let lapsed = "unavailable: the writer lease could not be renewed in time";
    assert_eq!(error.to_string(), lapsed);
    sleep(LEASE / 2).await;
    append(&a, Expected::NEW, [1]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_writes_what_was_taken_and_refuses_what_comes_later() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let appends: Vec<_> = (0..3).map(|n| appending(&a, at(n), n)).collect();
    gate.held(1).await;
    let shutdown = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown().await }
    });
    all_wait().await;
    let error = append(&a, at(3), [3]).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine is shutting down");
    gate.open();
    for append in appends {
        append.await.unwrap().unwrap();
    }
    let report = shutdown.await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(amounts(&rig, "a").await, [0, 1, 2]);
    let error = append(&a, at(3), [3]).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine has ended");
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_no_longer_than_it_may_and_answers_what_is_left() {
    let rig = Rig::new();
    let engine = rig.start_set(leased().with_shutdown_timeout(10 * SECOND)).await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let waiting = appending(&a, at(1), 2);
    all_wait().await;
    let begun = Instant::now();
    let report = engine.shutdown().await;
    assert!(begun.elapsed() < 20 * SECOND, "{:?}", begun.elapsed());
    assert_eq!((report.unanswered, report.unsent, report.unknown), (1, 0, 1), "{report:?}");
    assert_is!(sent.await.unwrap(), Err(AppendError::OutcomeUnknown { .. }));
    assert_is!(waiting.await.unwrap(), Err(AppendError::Unavailable { .. }));
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_dropped_answers_the_appends_it_had() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let waiting = appending(&a, at(1), 2);
    all_wait().await;
    drop(engine);
    all_wait().await;
    let error = append(&a, at(1), [3]).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine has ended");
    gate.open();
    sent.await.unwrap().unwrap();
    assert_is!(waiting.await.unwrap(), Err(AppendError::Unavailable { .. }));
    assert_eq!(amounts(&rig, "a").await, [1]);
}
