//! No caller waits for ever, and a caller that has gone leaves nothing behind.

use super::{SECOND, amounts, append, appending, appending_within, at, ledger};
use crate::rig::{Rig, all_wait, assert_is};
use actum_runtime::{AppendError, Expected, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_append_ends_at_its_deadline_and_says_whether_it_was_sent() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_ask_timeout(3 * SECOND);
    let engine = rig.start_set(settings).await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let begun = Instant::now();
    let sent = appending_within(&a, Expected::NEW, 1, 2 * SECOND);
    gate.held(1).await;
    let waiting = appending_within(&a, at(1), 2, SECOND);
    assert_is!(waiting.await.unwrap(), Err(AppendError::Timeout { maybe_appended: false }));
    assert_eq!(begun.elapsed(), SECOND);
    let error = sent.await.unwrap().unwrap_err();
    assert_is!(&error, AppendError::Timeout { maybe_appended: true });
    assert!(error.maybe_appended() && error.is_transient());
    assert_eq!(begun.elapsed(), 2 * SECOND);
    let default = append(&a, at(1), [3]).await;
    assert_is!(default, Err(AppendError::Timeout { maybe_appended: false }));
    assert_eq!(begun.elapsed(), 5 * SECOND, "the engine's own timeout");
    gate.open();
    all_wait().await;
    append(&a, at(1), [4]).await.unwrap();
    assert_eq!(
        amounts(&rig, "a").await,
        [1, 4],
        "the one that was sent, and not those that waited"
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_of_the_head_that_hangs_ends_at_the_deadline() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let _gate = rig.hold_next(Operation::ReadEntities);
    let append = appending_within(&ledger(&engine, "a"), Expected::Any, 1, SECOND);
    assert_is!(append.await.unwrap(), Err(AppendError::Timeout { maybe_appended: false }));
    rig.faults.next(Operation::ReadEntities, Fault::unavailable());
    let append = appending(&ledger(&engine, "a"), Expected::Any, 1);
    assert_is!(append.await.unwrap(), Err(AppendError::Unavailable { source: Some(_), .. }));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_any_length_is_one() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let append = appending_within(&ledger(&engine, "a"), Expected::NEW, 1, Duration::MAX);
    append.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_dropped_is_written_if_it_was_sent_and_not_if_it_waited() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let (dropped, kept) = (appending(&a, at(1), 2), appending(&a, at(1), 3));
    all_wait().await;
    sent.abort();
    dropped.abort();
    all_wait().await;
    gate.open();
    kept.await.unwrap().unwrap();
    assert_eq!(amounts(&rig, "a").await, [1, 3]);
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn turns_go_in_order_and_one_that_is_given_up_holds_up_no_one() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = ledger(&engine, "a");
    let first = a.turn(Instant::now() + SECOND).await.unwrap();
    let turn = |ledger: &actum_runtime::StreamWriter| {
        let ledger = ledger.clone();
        tokio::spawn(async move { drop(ledger.turn(Instant::now() + SECOND).await.unwrap()) })
    };
    let (second, third) = (turn(&a), turn(&a));
    all_wait().await;
    assert!(!second.is_finished() && !third.is_finished());
    turn(&ledger(&engine, "b")).await.unwrap();
    second.abort();
    all_wait().await;
    drop(first);
    third.await.unwrap();
    let _held = a.turn(Instant::now()).await.unwrap();
    let late = a.turn(Instant::now() + SECOND).await;
    assert_is!(late, Err(AppendError::Timeout { maybe_appended: false }));
}
