//! Acknowledged means durable: nothing that reflects an event is said before the event is committed.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Withdraw},
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_model::Revision;
use actum_runtime::{AskError, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::time::Duration;

/// Asks whose timeouts play no part.
fn patient() -> RuntimeSettings {
    RuntimeSettings::default().with_ask_timeout(Duration::from_secs(3600))
}

#[tokio::test(start_paused = true)]
async fn whatever_saw_a_pending_event_is_answered_after_its_commit() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();

    let gate = rig.hold_next(Operation::Append);
    let change = send(a.ask(Deposit(10)).command_id("c"));
    gate.held(1).await;
    let query = send(a.ask(Balance).with_receipt());
    let look = send(a.state());
    let rejection = send(a.ask(Withdraw(100)));
    let mismatch = send(a.ask(Deposit(5)).expect_revision(Revision::new(1)));
    let retry = send(a.ask(Deposit(10)).command_id("c"));
    let reused = send(a.ask(DepositAll(vec![10])).command_id("c"));
    let none = send(a.ask(DepositAll(vec![])));
    tokio::time::sleep(Duration::from_secs(60)).await;
    for (waits, what) in [
        (!change.is_finished(), "the change"),
        (!query.is_finished(), "a query"),
        (!look.is_finished(), "a look"),
        (!rejection.is_finished(), "a rejection"),
        (!mismatch.is_finished(), "a wrong revision"),
        (!retry.is_finished(), "a retry"),
        (!reused.is_finished(), "a reused id"),
        (!none.is_finished(), "a command that changes nothing"),
    ] {
        assert!(waits, "{what} was answered before the commit");
    }
    // neighbours do not wait for it
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 0);

    gate.open();
    assert_eq!(change.await.unwrap().unwrap(), 11);
    let (balance, receipt) = query.await.unwrap().unwrap();
    assert_eq!((balance, receipt.sequence_nr.get()), (11, 2));
    assert_eq!(look.await.unwrap().unwrap(), Account { balance: 11 });
    assert_eq!(rejection.await.unwrap().unwrap_err().rejection().unwrap().short_by, 89);
    assert_is!(mismatch.await.unwrap(), Err(AskError::RevisionMismatch { expected, actual }) if (expected.get(), actual.get()) == (1, 2));
    assert_eq!(retry.await.unwrap().unwrap(), 11);
    assert_is!(reused.await.unwrap(), Err(AskError::CommandIdReused { .. }));
    assert_eq!(none.await.unwrap().unwrap(), 11);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whatever_saw_a_pending_event_that_is_not_stored_gets_unavailable_and_never_the_value() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();

    let gate = rig.hold_next(Operation::Append);
    let failing = send(a.ask(Deposit(10)).command_id("c"));
    gate.held(1).await;
    // the second append of the pipeline fails: what it carries saw what the first one stores
    rig.faults.next(Operation::Append, Fault::unavailable());
    let behind = send(a.ask(Deposit(20)));
    let query = send(a.ask(Balance));
    let look = send(a.state());
    let rejection = send(a.ask(Withdraw(100)));
    let mismatch = send(a.ask(Deposit(5)).expect_revision(Revision::new(2)));
    let retry = send(a.ask(Deposit(10)).command_id("c"));
    all_wait().await;
    gate.open();

    assert_eq!(failing.await.unwrap().unwrap(), 11);
    assert_eq!(retry.await.unwrap().unwrap(), 11);
    assert_is!(behind.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(query.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(look.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(rejection.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(mismatch.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_eq!(a.ask(Balance).await.unwrap(), 11);
    assert_eq!(rig.faults.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_while_the_append_hangs_learns_that_it_may_be_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();

    let gate = rig.hold_next(Operation::Append);
    let second = Duration::from_secs(1);
    let sent = send(a.ask(Deposit(10)).timeout(second));
    gate.held(1).await;
    let staged = send(a.ask(Deposit(20)).timeout(second));
    let query = send(a.ask(Balance).timeout(second));
    let rejection = send(a.ask(Withdraw(100)).timeout(second));
    assert_is!(sent.await.unwrap(), Err(AskError::Timeout { maybe_applied: true }));
    assert_is!(staged.await.unwrap(), Err(AskError::Timeout { maybe_applied: true }));
    assert_is!(query.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    assert_is!(rejection.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    assert_eq!(engine.usage().commands, 0);

    gate.open();
    assert_eq!(a.ask(Balance).await.unwrap(), 31);
}

#[tokio::test(start_paused = true)]
async fn a_hot_entity_pipelines_what_comes_during_a_commit_into_the_next_one() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let first = send(a.ask(Deposit(1)));
    gate.held(1).await;
    let rest: Vec<_> = (0..500).map(|_| send(a.ask(Deposit(1)))).collect();
    all_wait().await;
    gate.open();
    assert_eq!(first.await.unwrap().unwrap(), 1);
    for (at, asking) in rest.into_iter().enumerate() {
        assert_eq!(asking.await.unwrap().unwrap(), at as u64 + 2);
    }
    assert_eq!(rig.faults.calls(Operation::Append), 2);
    assert_eq!(rig.events("a").await.len(), 501);
}
