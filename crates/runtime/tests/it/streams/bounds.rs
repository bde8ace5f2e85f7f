//! Appends count against the bounds of the engine, as long as its writers have them.

use super::{SECOND, amounts, append, appending, appending_within, at, ledger};
use crate::{
    account::{Balance, Deposit},
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_runtime::{AppendError, AskError, Bound, Expected, settings::RuntimeSettings};
use actum_testkit::Operation;

#[tokio::test(start_paused = true)]
async fn commands_and_appends_share_one_bound() {
    let rig = Rig::new();
    let engine = rig.start_set(RuntimeSettings::default().with_commands_max(3)).await;
    let (a, b) = (ledger(&engine, "a"), ledger(&engine, "b"));
    let gate = rig.hold_next(Operation::Append);
    let sent = appending_within(&a, Expected::NEW, 1, SECOND);
    gate.held(1).await;
    let (waiting, deposit) = (appending(&a, at(1), 2), send(account(&engine, "a").ask(Deposit(1))));
    all_wait().await;
    assert_eq!(engine.usage().commands, 3);
    let error = append(&b, Expected::NEW, [1]).await.unwrap_err();
    assert_eq!(error.to_string(), "overloaded: too many commands wait in this engine");
    assert!(error.is_transient() && !error.maybe_appended());
    assert_is!(
        account(&engine, "b").ask(Balance).await,
        Err(AskError::Overloaded { bound: Bound::EngineCommands })
    );
    // one whose caller has its answer counts until the writer has settled it
    assert_is!(sent.await.unwrap(), Err(AppendError::Timeout { maybe_appended: true }));
    assert_is!(append(&b, Expected::NEW, [1]).await, Err(AppendError::Overloaded { .. }));
    gate.open();
    waiting.await.unwrap().unwrap();
    assert_eq!(deposit.await.unwrap().unwrap(), 1);
    append(&b, Expected::NEW, [1]).await.unwrap();
    assert_eq!((amounts(&rig, "a").await, engine.usage().commands), (vec![1, 2], 0));
}

#[tokio::test(start_paused = true)]
async fn an_append_that_leaves_while_it_waits_makes_room() {
    let rig = Rig::new();
    let engine = rig.start_set(RuntimeSettings::default().with_commands_max(2)).await;
    let (a, b) = (ledger(&engine, "a"), ledger(&engine, "b"));
    let gate = rig.hold_next(Operation::Append);
    let sent = appending(&a, Expected::NEW, 1);
    gate.held(1).await;
    let waiting = appending(&a, at(1), 2);
    all_wait().await;
    assert_is!(append(&b, Expected::NEW, [1]).await, Err(AppendError::Overloaded { .. }));
    waiting.abort();
    all_wait().await;
    let entered = appending(&b, Expected::NEW, 1);
    all_wait().await;
    gate.open();
    sent.await.unwrap().unwrap();
    entered.await.unwrap().unwrap();
    assert_eq!(amounts(&rig, "a").await, [1], "it was not written");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_wait_count_wherever_they_wait() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_journal_bytes_max(1 << 20);
    let engine = rig.start_set(settings).await;
    let (a, b) = (ledger(&engine, "a"), ledger(&engine, "b"));
    let gate = rig.hold_next(Operation::Append);
    // more than fits, all the same: alone it is let in
    let sent = appending_many(&a, Expected::NEW);
    gate.held(1).await;
    let full = Bound::JournalBytes;
    assert_is!(append(&b, Expected::NEW, [1]).await, Err(AppendError::Overloaded { bound }) if bound == full);
    assert_is!(account(&engine, "a").ask(Deposit(1)).await, Err(AskError::Overloaded { bound }) if bound == full);
    let next = rig.hold_next(Operation::Append);
    gate.open();
    sent.await.unwrap().unwrap();
    // one that waits behind another of its stream counts, too
    let first = appending(&a, at(10_000), 1);
    next.held(1).await;
    let waiting = appending_many(&a, at(10_001));
    all_wait().await;
    assert_is!(append(&b, Expected::NEW, [1]).await, Err(AppendError::Overloaded { bound }) if bound == full);
    next.open();
    first.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    append(&b, Expected::NEW, [1]).await.unwrap();
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 1);
}

/// More than a mebibyte, with what each event needs beside its payload.
fn appending_many(
    ledger: &actum_runtime::StreamWriter,
    expected: Expected,
) -> tokio::task::JoinHandle<Result<actum_runtime::Receipt, AppendError>> {
    let ledger = ledger.clone();
    tokio::spawn(async move { append(&ledger, expected, vec![1; 10_000]).await })
}
