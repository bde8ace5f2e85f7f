//! Changes gather: of one entity when it is set so, and of all entities while a commit is under way.

use crate::{
    account::{Account, Balance, Deposit, DepositAll},
    rig::{Rig, account, accounts, all_wait, assert_is, send},
};
use actum_model::LaneCount;
use actum_persistence::{group_commit::GroupCommitSettings, store::JournalLayout};
use actum_runtime::{
    AskError,
    settings::{Batching, EntitySettings, RuntimeSettings},
};
use actum_store_memory::MemoryStore;
use actum_testkit::{Fault, Operation};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WINDOW: Duration = Duration::from_millis(20);

/// Ten changes, or 20 milliseconds.
fn tens() -> EntitySettings<Account> {
    EntitySettings::default()
        .with_batching(Batching::default().with_threshold(10).with_flush_window(WINDOW))
}

#[tokio::test(start_paused = true)]
async fn the_threshold_sends_without_waiting() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    a.ask(Balance).await.unwrap();
    let started = Instant::now();
    let changes: Vec<_> = (0..10).map(|_| send(a.ask(Deposit(1)))).collect();
    for (at, asking) in (1..).zip(changes) {
        assert_eq!(asking.await.unwrap().unwrap(), at);
    }
    assert_eq!(a.ask(DepositAll(vec![1; 10])).await.unwrap(), 20, "it is events that count");
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(rig.faults.calls(Operation::Append), 2);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_change_waits_no_longer_than_the_flush_window() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    a.ask(Balance).await.unwrap();
    let started = Instant::now();
    let first = send(a.ask(Deposit(1)));
    sleep(WINDOW - Duration::from_millis(5)).await;
    let last = send(a.ask(Deposit(1)));
    let query = send(a.ask(Balance)); // it saw what waits
    sleep(Duration::from_millis(4)).await;
    assert_eq!(rig.faults.calls(Operation::Append), 0);
    assert!(!first.is_finished() && !query.is_finished());
    assert_eq!(first.await.unwrap().unwrap(), 1);
    assert_eq!(last.await.unwrap().unwrap(), 2);
    assert_eq!(query.await.unwrap().unwrap(), 2);
    let took = started.elapsed();
    assert!((WINDOW..WINDOW + Duration::from_millis(3)).contains(&took), "{took:?}");
    assert_eq!(rig.faults.calls(Operation::Append), 1);
}

#[tokio::test(start_paused = true)]
async fn each_window_begins_with_a_change_however_long_there_was_none() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    for appends in 0..3 {
        sleep(WINDOW * 5).await;
        let changes = [send(a.ask(Deposit(1))), send(a.ask(Deposit(1)))];
        sleep(WINDOW - Duration::from_millis(1)).await;
        assert_eq!(rig.faults.calls(Operation::Append), appends, "the window is not over");
        for asking in changes {
            asking.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_entity_has_a_window_of_its_own() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_accounts(tens()).await;
    let (a, b) = (account(&engine, "a"), account(&engine, "b"));
    let slow = send(a.ask(Deposit(1)));
    let fast: Vec<_> = (0..10).map(|_| send(b.ask(Deposit(1)))).collect();
    for asking in fast {
        asking.await.unwrap().unwrap();
    }
    assert!(!slow.is_finished());
    slow.await.unwrap().unwrap();
    // windows that begin one after the other end one after the other
    let started = Instant::now();
    let mut ends = Vec::new();
    for n in 0..5 {
        let asking = send(account(&engine, &n.to_string()).ask(Deposit(1)));
        ends.push((Duration::from_millis(3) * n + WINDOW, asking));
        sleep(Duration::from_millis(3)).await;
    }
    for (end, asking) in ends {
        asking.await.unwrap().unwrap();
        let late = started.elapsed().saturating_sub(end);
        assert!(late < Duration::from_millis(4), "{late:?} late");
    }
}

#[tokio::test(start_paused = true)]
async fn what_gathers_behind_an_append_goes_when_it_is_enough_or_old_enough() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    for (behind, waits) in [(10, false), (4, true)] {
        let gate = rig.hold_next(Operation::Append);
        let first = send(a.ask(DepositAll(vec![1; 10])));
        gate.held(1).await;
        let rest: Vec<_> = (0..behind).map(|_| send(a.ask(Deposit(1)))).collect();
        all_wait().await;
        gate.open();
        let opened = Instant::now();
        first.await.unwrap().unwrap();
        for asking in rest {
            asking.await.unwrap().unwrap();
        }
        assert_eq!(opened.elapsed() > Duration::from_millis(10), waits, "{:?}", opened.elapsed());
    }
    assert_eq!(rig.faults.calls(Operation::Append), 4);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_began_behind_an_append_is_not_overlooked_for_one_that_ends_later() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_accounts(tens()).await;
    let (a, b) = (account(&engine, "a"), account(&engine, "b"));
    a.ask(Balance).await.unwrap();
    b.ask(Balance).await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let under_way: Vec<_> = (0..10).map(|_| send(a.ask(Deposit(1)))).collect();
    gate.held(1).await;
    let started = Instant::now();
    let behind = send(a.ask(Deposit(1)));
    sleep(WINDOW / 2).await;
    let later = send(b.ask(Deposit(1)));
    all_wait().await;
    gate.open(); // only now it is known when the window of `a` ends: before that of `b`
    for asking in under_way {
        asking.await.unwrap().unwrap();
    }
    assert_eq!(behind.await.unwrap().unwrap(), 11);
    let took = started.elapsed();
    assert!(took < WINDOW + Duration::from_millis(3), "{took:?}");
    assert_eq!(later.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_may_give_up_before_the_window_ends_and_the_change_is_stored() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    a.ask(Balance).await.unwrap();
    let asked = a.ask(Deposit(1)).timeout(Duration::from_millis(5)).await;
    assert_is!(asked, Err(AskError::Timeout { maybe_applied: true }));
    assert_eq!(a.ask(Balance).await.unwrap(), 1);
    assert_eq!(rig.events("a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_fails_all_that_gathered_in_it() {
    let rig = Rig::new();
    let engine = rig.start_accounts(tens()).await;
    let a = account(&engine, "a");
    rig.faults.next(Operation::Append, Fault::unavailable());
    let changes: Vec<_> = (0..5).map(|_| send(a.ask(Deposit(1)))).collect();
    for asking in changes {
        assert_is!(asking.await.unwrap(), Err(AskError::Unavailable { .. }));
    }
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_batching_a_lone_change_is_sent_at_once_and_those_of_one_turn_together() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let started = Instant::now();
    for at in 1..=10 {
        assert_eq!(a.ask(Deposit(1)).await.unwrap(), at);
        assert_eq!(rig.faults.calls(Operation::Append), at);
    }
    let together: Vec<_> = (0..10).map(|_| send(a.ask(Deposit(1)))).collect();
    for asking in together {
        asking.await.unwrap().unwrap();
    }
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(rig.faults.calls(Operation::Append), 11);
}

#[tokio::test(start_paused = true)]
async fn what_comes_during_a_commit_goes_into_the_next_one_across_entities_and_partitions() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let gate = rig.hold_next(Operation::Append);
    let first = send(account(&engine, "first").ask(Deposit(1)));
    gate.held(1).await;
    let rest: Vec<_> =
        (0..500).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)))).collect();
    all_wait().await;
    assert_eq!(rig.faults.calls(Operation::Append), 1);
    gate.open();
    for asking in rest.into_iter().chain([first]) {
        assert_eq!(asking.await.unwrap().unwrap(), 1);
    }
    let counts = rig.faults.counts();
    assert_eq!(rig.faults.calls(Operation::Append), 2);
    assert_eq!((counts.entity_appends, counts.appends_at_once_max), (501, 1));
}

#[tokio::test(start_paused = true)]
async fn each_lane_commits_by_itself() {
    let lanes = LaneCount::new(2).unwrap();
    let rig = Rig::over(MemoryStore::with_layout(JournalLayout { lanes, ..Default::default() }));
    let engine = rig.start().await;
    let gate = rig.hold_next(Operation::Append);
    let held = send(account(&engine, "0").ask(Deposit(1)).with_receipt());
    gate.held(1).await;
    let others: Vec<_> = (1..40)
        .map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)).with_receipt()))
        .collect();
    all_wait().await;
    let finished = others.iter().filter(|asking| asking.is_finished()).count();
    gate.open();
    let (_, first) = held.await.unwrap().unwrap();
    let mut in_other_lane = 0;
    for asking in others {
        let (_, receipt) = asking.await.unwrap().unwrap();
        in_other_lane += usize::from(receipt.lane != first.lane);
    }
    assert_eq!(finished, in_other_lane);
    assert!((5..35).contains(&in_other_lane), "{in_other_lane} of 39");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_holds_no_more_than_its_bound_and_a_command_that_is_larger_goes_alone() {
    let rig = Rig::new();
    let tens = GroupCommitSettings::default().with_batch_events_max(10);
    let settings = RuntimeSettings::default().with_group_commit(tens);
    let engine = rig.start_with(vec![accounts()], settings).await;
    let gate = rig.hold_next(Operation::Append);
    let first = send(account(&engine, "first").ask(Deposit(1)));
    gate.held(1).await;
    let rest: Vec<_> =
        (0..95).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)))).collect();
    all_wait().await;
    gate.open();
    for asking in rest.into_iter().chain([first]) {
        asking.await.unwrap().unwrap();
    }
    assert_eq!(rig.faults.calls(Operation::Append), 1 + 10);
    assert_eq!(rig.faults.counts().events_at_once_max, 10);
    account(&engine, "large").ask(DepositAll(vec![1; 50])).await.unwrap();
    assert_eq!(rig.faults.counts().events_at_once_max, 50);
}
