//! What a caller sends and what comes back.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Insufficient, Withdraw},
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_model::{Position, Revision, SequenceNr};
use actum_runtime::{AskError, settings::RuntimeSettings};
use actum_testkit::Operation;
use std::{error::Error, time::Duration};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_command_is_answered_from_the_state_after_its_events() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Deposit(100)).await.unwrap(), 100);
    assert_eq!(a.ask(Withdraw(30)).await.unwrap(), 70);
    assert_eq!(a.ask(Balance).await.unwrap(), 70);
    assert_eq!(account(&engine, "b").ask(Balance).await.unwrap(), 0);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_comes_back_as_the_type_the_handler_returned_and_stores_nothing() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(10)).await.unwrap();
    let refused = a.ask(Withdraw(25)).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Insufficient { short_by: 15 }));
    assert_eq!(refused.to_string(), "the entity rejected the command");
    assert_eq!(refused.source().unwrap().to_string(), "short by 15");
    assert_eq!(rig.events("a").await.len(), 1);
    assert_eq!(a.ask(Withdraw(10)).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_without_events_may_ask_for_a_list_of_none() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(DepositAll(vec![])).await.unwrap(), 0);
    assert_eq!(a.ask(DepositAll(vec![])).command_id("c").await.unwrap(), 0);
    assert_eq!(a.ask(DepositAll(vec![1, 2])).await.unwrap(), 3);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_it_is_awaited() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let ask = a.ask(Deposit(1)).command_id("c").timeout(Duration::from_secs(1));
    let look = a.state();
    all_wait().await;
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    assert_eq!(rig.faults.calls(Operation::Recover), 0);
    drop((ask, look));
    all_wait().await;
    assert_eq!(a.ask(Balance).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn dropping_what_waits_for_a_reply_does_not_take_the_command_back() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let asking = a.ask(Deposit(5)).into_future();
    gate.held(1).await;
    drop(asking);
    gate.open();
    assert_eq!(a.ask(Balance).await.unwrap(), 5);
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn state_is_a_copy_of_what_is_durable() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.state().await.unwrap(), Account { balance: 0 });
    a.ask(Deposit(5)).await.unwrap();
    assert_eq!(a.state().timeout(Duration::from_secs(1)).await.unwrap(), Account { balance: 5 });
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_by_tell_is_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.tell(Deposit(5)).unwrap();
    a.ask(Deposit(6)).command_id("c").tell().unwrap();
    a.ask(Deposit(6)).command_id("c").tell().unwrap();
    assert_eq!(a.ask(Balance).await.unwrap(), 11);
    all_wait().await;
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_by_tell_that_is_not_taken_says_so() {
    let rig = Rig::new();
    let engine = rig.start().await;
    assert_is!(account(&engine, "").tell(Deposit(5)).unwrap_err().0, AskError::Invalid { .. });
    let _ = engine.shutdown().await;
    let error = account(&engine, "a").tell(Deposit(5)).unwrap_err();
    assert_eq!(error.to_string(), "the command was not taken: unavailable: the engine has ended");
    assert!(error.source().is_none(), "the reason is in the message");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_says_where_the_command_left_its_entity() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let (a, b) = (account(&engine, "a"), account(&engine, "b"));
    let (balance, receipt) = a.ask(Deposit(1)).with_receipt().await.unwrap();
    let nr = SequenceNr::new;
    assert_eq!(
        (balance, receipt.sequence_nr, receipt.position),
        (1, nr(1), Some(Position::new(1)))
    );
    let (_, receipt) = b.ask(DepositAll(vec![1, 2])).with_receipt().await.unwrap();
    assert_eq!((receipt.sequence_nr, receipt.position), (nr(2), Some(Position::new(3))));
    // a query saw what was stored before it
    let (_, receipt) = a.ask(Balance).with_receipt().await.unwrap();
    assert_eq!((receipt.sequence_nr, receipt.position), (nr(1), Some(Position::new(1))));

    let _ = engine.shutdown().await;
    let engine = rig.start().await;
    let (_, receipt) = account(&engine, "b").ask(Balance).with_receipt().await.unwrap();
    assert_eq!((receipt.sequence_nr, receipt.position), (nr(2), Some(Position::new(3))));
}

#[tokio::test(start_paused = true)]
async fn expect_revision_lets_one_of_two_through() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).expect_revision(Revision::new(0)).await.unwrap();
    let (one, two) = (
        send(a.ask(Deposit(2)).expect_revision(Revision::new(1))),
        send(a.ask(Deposit(4)).expect_revision(Revision::new(1))),
    );
    assert_eq!(one.await.unwrap().unwrap(), 3);
    let error = two.await.unwrap().unwrap_err();
    assert_is!(&error, AskError::RevisionMismatch { expected, actual } if (expected.get(), actual.get()) == (1, 2));
    assert_eq!(error.to_string(), "revision mismatch: expected 1, the entity is at 2");
    assert_is!(
        a.ask(Balance).expect_revision(Revision::new(7)).await,
        Err(AskError::RevisionMismatch { .. })
    );
    assert_eq!(a.ask(Balance).expect_revision(Revision::new(2)).await.unwrap(), 3);
    // what an earlier answer reflects is what to expect, as is the number of an event
    let (_, receipt) = a.ask(Deposit(1)).with_receipt().await.unwrap();
    assert_eq!(a.ask(Deposit(1)).expect_revision(receipt).await.unwrap(), 5);
    assert_is!(
        a.ask(Balance).expect_revision(receipt).await,
        Err(AskError::RevisionMismatch { .. })
    );
    assert_eq!(a.ask(Balance).expect_revision(SequenceNr::new(4)).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_ask_waits_as_long_as_the_engine_says_unless_it_says_otherwise() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_ask_timeout(Duration::from_secs(7));
    let engine = rig.start_set(settings).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    let _gate = rig.hold_next(Operation::Append);
    let started = Instant::now();
    let waited = async |asking| {
        assert_is!(asking, Err(AskError::Timeout { .. }));
        started.elapsed()
    };
    let short = send(a.ask(Deposit(1)).timeout(Duration::from_millis(300)));
    let long = send(a.ask(Deposit(1)).timeout(Duration::from_secs(20)));
    let default = send(a.ask(Deposit(1)));
    let look = send(a.state());
    for (asking, seconds) in [(short, 0.3), (default, 7.0), (long, 20.0)] {
        let took = waited(asking.await.unwrap()).await.as_secs_f64();
        assert!((seconds..seconds + 0.01).contains(&took), "{took} instead of {seconds}");
    }
    assert_is!(look.await.unwrap(), Err(AskError::Timeout { maybe_applied: false }));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_nothing_answers_at_once_and_one_without_end_never_ends() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let now = a.ask(Deposit(1)).timeout(Duration::ZERO).await;
    assert_is!(now, Err(AskError::Timeout { maybe_applied: false }));
    assert_eq!(a.ask(Deposit(1)).timeout(Duration::MAX).await.unwrap(), 1);
    assert_eq!(rig.events("a").await.len(), 1);
}
