//! Deadlines are kept wherever a command waits, and the answer says whether it may be applied.

use crate::{
    account::{Balance, Deposit, Leave},
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_runtime::{
    AskError,
    settings::{Batching, EntitySettings, RuntimeSettings},
};
use actum_testkit::Operation;
use std::time::Duration;
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_command_whose_time_is_over_while_its_entity_recovers_is_never_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let reading = rig.hold_next(Operation::Recover);
    let started = Instant::now();
    let late = send(a.ask(Deposit(5)).timeout(SECOND));
    let look = send(a.state().timeout(SECOND));
    let patient = send(a.ask(Deposit(7)).timeout(60 * SECOND));
    reading.held(1).await;
    assert_is!(late.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    assert!(started.elapsed() < SECOND + Duration::from_millis(10));
    assert_is!(look.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    reading.open();
    assert_eq!(patient.await.unwrap().unwrap(), 7);
    assert_eq!(rig.events("a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_is_not_applied_when_recovery_ends_after_its_deadline() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let reading = rig.hold_next(Operation::Recover);
    let late = send(a.ask(Deposit(5)).timeout(SECOND));
    reading.held(1).await;
    // the read and the deadline come to the same turn
    reading.open();
    advance(2 * SECOND).await;
    assert_is!(late.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    assert_eq!(a.ask(Balance).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_waits_for_its_entity_to_leave_has_a_deadline_too() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let leaving = send(a.ask(Leave(10)).timeout(60 * SECOND));
    gate.held(1).await;
    let waiting = send(a.ask(Deposit(5)).timeout(SECOND));
    let also_leaving = send(a.ask(Leave(0)).timeout(2 * SECOND));
    assert_is!(waiting.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    assert_is!(also_leaving.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
    gate.open();
    assert_eq!(leaving.await.unwrap().unwrap(), 10);
    assert_eq!(a.ask(Balance).await.unwrap(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_time_is_over_in_the_inbox_is_never_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    // left in the inbox; the partition gets no turn before this test waits for something
    let late = a.ask(Deposit(5)).timeout(SECOND).into_future();
    advance(2 * SECOND).await;
    assert_is!(late.await, Err(AskError::Timeout { maybe_applied: false }));
    assert_eq!(a.ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn deadlines_are_swept_in_a_partition_that_is_never_quiet() {
    let rig = Rig::of_one_partition();
    let engine = rig.start().await;
    let (a, busy) = (account(&engine, "a"), account(&engine, "busy"));
    busy.ask(Deposit(1)).await.unwrap();
    let _reading = rig.hold_next(Operation::Recover);
    let late = send(a.ask(Deposit(5)).timeout(Duration::from_millis(100)));
    for _ in 0..1000 {
        advance(Duration::from_micros(300)).await;
        busy.ask(Balance).await.unwrap();
        if late.is_finished() {
            break;
        }
    }
    assert!(late.is_finished(), "no deadline was looked at in 300 milliseconds");
    assert_is!(late.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
}

#[tokio::test(start_paused = true)]
async fn flush_windows_end_in_a_partition_that_is_never_quiet() {
    let rig = Rig::of_one_partition();
    let batching =
        Batching::default().with_threshold(1000).with_flush_window(Duration::from_millis(20));
    let engine = rig.start_accounts(EntitySettings::default().with_batching(batching)).await;
    let (a, busy) = (account(&engine, "a"), account(&engine, "busy"));
    busy.ask(Balance).await.unwrap();
    a.ask(Balance).await.unwrap();
    let change = send(a.ask(Deposit(5)));
    for _ in 0..1000 {
        advance(Duration::from_micros(300)).await;
        busy.ask(Balance).await.unwrap();
        if change.is_finished() {
            break;
        }
    }
    assert!(change.is_finished(), "no flush window ended in 300 milliseconds");
    assert_eq!(change.await.unwrap().unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn many_deadlines_of_one_entity_are_each_kept() {
    let rig = Rig::new();
    let engine = rig.start_set(RuntimeSettings::default().with_ask_timeout(60 * SECOND)).await;
    let a = account(&engine, "a");
    let _reading = rig.hold_next(Operation::Recover);
    let started = Instant::now();
    let asking: Vec<_> = (1..=50u32)
        .rev()
        .map(|n| (n, send(a.ask(Deposit(1)).timeout(n * Duration::from_millis(20)))))
        .collect();
    for (n, asking) in asking.into_iter().rev() {
        assert_is!(asking.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
        let late = started.elapsed() - n * Duration::from_millis(20);
        assert!(late < Duration::from_millis(5), "{n} was {late:?} late");
    }
    all_wait().await;
    assert_eq!(engine.usage().commands, 0);
}
