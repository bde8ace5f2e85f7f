//! A failed or unknown append never leaves memory ahead of the journal, and every caller learns what happened.

use crate::{
    account::{AccountEvent, Balance, Deposit, DepositAll, Withdraw},
    rig::{Gate, Rig, account, all_wait, assert_is, send},
};
use actum_model::StoredPayload;
use actum_persistence::{group_commit::GroupCommitSettings, store::StoreError};
use actum_runtime::{AskError, Runtime, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{fmt, time::Duration};

/// What is pending when the first append of an account is settled.
struct Pending {
    /// In the append.
    sent: Outcome,
    /// Came while the append was under way.
    staged: Outcome,
    /// Saw the sent event.
    query: Outcome,
    /// Saw it too, and was refused.
    rejection: Outcome,
}

type Outcome = Result<u64, AskError<fmt::Error>>;

/// Lets an append of 10 that meets `fault` be under way, with more behind it.
async fn with_pending(rig: &Rig, engine: &Runtime, fault: Fault) -> Pending {
    let a = account(engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    let gate = Gate::closed();
    rig.faults.next(Operation::Append, fault.held_before(&gate));
    let sent = send(a.ask(Deposit(10)));
    gate.held(1).await;
    let query = send(a.ask(Balance));
    let rejection = send(a.ask(Withdraw(100)));
    let staged = send(a.ask(DepositAll(vec![20, 30])));
    all_wait().await;
    gate.open();
    Pending {
        sent: sent.await.unwrap().map_err(untyped),
        staged: staged.await.unwrap().map_err(untyped),
        query: query.await.unwrap().map_err(untyped),
        rejection: rejection.await.unwrap().map_err(untyped),
    }
}

fn untyped<X>(error: AskError<X>) -> AskError<fmt::Error> {
    error.map_rejection(|_| fmt::Error)
}

/// Commands that are asked for as long as it takes.
fn patient() -> RuntimeSettings {
    RuntimeSettings::default().with_ask_timeout(Duration::from_secs(3600))
}

/// The entity is there, with exactly what the journal has.
async fn assert_goes_on(rig: &Rig, engine: &Runtime, balance: u64, events: usize) {
    let a = account(engine, "a");
    assert_eq!(a.ask(Balance).await.unwrap(), balance);
    assert_eq!(rig.events("a").await.len(), events);
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), balance + 1);
    let (_, receipt) = a.ask(Balance).with_receipt().await.unwrap();
    assert_eq!(receipt.sequence_nr.get(), events as u64 + 1);
    assert_eq!(engine.usage().commands, 0);
    assert_eq!(rig.faults.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_store_fails_what_was_sent_and_all_behind_it() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let got = with_pending(&rig, &engine, Fault::unavailable()).await;
    for outcome in [got.sent, got.staged, got.query, got.rejection] {
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), "unavailable: the store failed");
        assert_is!(
            &error,
            AskError::Unavailable { source: Some(source), .. }
            if source.to_string() == "the store is unavailable: scripted fault"
        );
    }
    assert_goes_on(&rig, &engine, 1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn another_writer_that_was_faster_is_a_conflict_and_its_event_is_taken_in() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let foreign = StoredPayload::encode(&AccountEvent::Deposited(1000)).unwrap();
    let got = with_pending(&rig, &engine, Fault::foreign_writer_of(foreign)).await;
    for outcome in [got.sent, got.staged, got.query, got.rejection] {
        assert_is!(outcome, Err(AskError::Conflict { expected, actual }) if (expected.get(), actual.get()) == (1, 2));
    }
    assert_goes_on(&rig, &engine, 1001, 2).await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_was_a_commit_is_a_success() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let got = with_pending(&rig, &engine, Fault::unknown_committed()).await;
    assert_is!(got.sent, Ok(11));
    assert_is!(got.query, Ok(11));
    assert_is!(got.staged, Ok(61));
    assert_is!(got.rejection, Err(AskError::Rejected(_)));
    assert_eq!(rig.faults.calls(Operation::Resolve), 1);
    assert_goes_on(&rig, &engine, 61, 4).await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_that_was_no_commit_is_a_clean_failure() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let got = with_pending(&rig, &engine, Fault::unknown_uncommitted()).await;
    for outcome in [got.sent, got.staged, got.query, got.rejection] {
        assert_is!(outcome, Err(AskError::Unavailable { .. }));
    }
    assert_goes_on(&rig, &engine, 1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_commits_late_is_waited_for() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let got = with_pending(&rig, &engine, Fault::unknown_until_resolved()).await;
    assert_is!(got.sent, Ok(11));
    assert_is!(got.staged, Ok(61));
    assert_goes_on(&rig, &engine, 61, 4).await;
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_found_out_is_unknown_to_those_who_wrote_only() {
    for committed in [true, false] {
        let rig = Rig::new();
        let group_commit = GroupCommitSettings::default().with_resolve_attempts_max(3);
        let engine = rig.start_set(patient().with_group_commit(group_commit)).await;
        rig.faults.next_n(Operation::Resolve, 3, Fault::unavailable());
        let fault =
            if committed { Fault::unknown_committed() } else { Fault::unknown_uncommitted() };
        let got = with_pending(&rig, &engine, fault).await;
        let error = got.sent.unwrap_err();
        assert_is!(&error, AskError::OutcomeUnknown { source: Some(_), .. });
        assert_eq!(
            error.to_string(),
            "the outcome is unknown: the store did not confirm the write"
        );
        for outcome in [got.staged, got.query, got.rejection] {
            assert_is!(outcome, Err(AskError::Unavailable { .. }));
        }
        let (balance, events) = if committed { (11, 2) } else { (1, 1) };
        assert_goes_on(&rig, &engine, balance, events).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_in_an_append_is_asked_what_became_of_it() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let got = with_pending(&rig, &engine, Fault::panic()).await;
    assert_is!(got.sent, Err(AskError::Unavailable { .. }));
    assert_goes_on(&rig, &engine, 1, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_calls_a_write_corrupt_or_invalid_is_quoted() {
    for (error, expected) in [
        (StoreError::corrupt("page 7 is torn"), "corrupt: page 7 is torn"),
        (StoreError::invalid("not on a Sunday"), "invalid: not on a Sunday"),
    ] {
        let rig = Rig::new();
        let engine = rig.start_set(patient()).await;
        let got = with_pending(&rig, &engine, Fault::fail(error)).await;
        assert_eq!(got.sent.unwrap_err().to_string(), expected);
        assert_goes_on(&rig, &engine, 1, 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_one_command_are_stored_all_or_none() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    rig.faults.next(Operation::Append, Fault::unavailable());
    assert_is!(a.ask(DepositAll(vec![1; 50])).await, Err(AskError::Unavailable { .. }));
    assert_eq!(a.ask(Balance).await.unwrap(), 0);
    rig.faults.next(Operation::Append, Fault::foreign_writer());
    assert_is!(a.ask(DepositAll(vec![1; 50])).await, Err(AskError::Conflict { .. }));
    assert_eq!(a.ask(Balance).await.unwrap(), 1); // the foreign writer's
    assert_eq!(a.ask(DepositAll(vec![1; 50])).await.unwrap(), 51);
    let numbers: Vec<_> =
        rig.stored("account", "a").await.iter().map(|event| event.sequence_nr.get()).collect();
    assert_eq!(numbers, (1..=51).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_of_one_entity_leaves_the_others_of_its_batch_alone() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let gate = rig.hold_next(Operation::Append);
    let first = send(account(&engine, "first").ask(Deposit(1)));
    gate.held(1).await;
    rig.faults.next(Operation::Append, Fault::foreign_writer());
    let rest: Vec<_> =
        (0..50).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)))).collect();
    all_wait().await;
    gate.open();
    first.await.unwrap().unwrap();
    let mut conflicts = 0;
    for asking in rest {
        match asking.await.unwrap() {
            Ok(1) => {}
            Err(AskError::Conflict { expected, actual })
                if (expected.get(), actual.get()) == (0, 1) =>
            {
                conflicts += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((conflicts, rig.faults.calls(Operation::Append)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_entity_answers_right_after_each_of_many_failed_appends() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    for round in 0..20 {
        rig.faults.next(Operation::Append, Fault::unavailable());
        assert_is!(a.ask(Deposit(1)).await, Err(AskError::Unavailable { .. }));
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), round + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_right_behind_a_failed_append_wait_for_the_recovery() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    rig.faults.next(Operation::Append, Fault::unavailable());
    let reading = rig.hold_next(Operation::Recover);
    a.ask(Deposit(10)).await.unwrap_err();
    let asking: Vec<_> = (0..10).map(|_| send(a.ask(Deposit(1)))).collect();
    reading.held(1).await;
    assert!(asking.iter().all(|asking| !asking.is_finished()));
    reading.open();
    for (at, asking) in asking.into_iter().enumerate() {
        assert_eq!(asking.await.unwrap().unwrap(), at as u64 + 2);
    }
}
