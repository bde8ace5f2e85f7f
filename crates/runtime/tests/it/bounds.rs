//! Everything that waits has a bound; beyond it callers get `Overloaded`, and nothing of theirs is done.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Leave},
    note::{Write, note, notes},
    rig::{Gate, Rig, account, accounts, all_wait, assert_is, send},
};
use actum_persistence::store::bounds::BATCH_EVENTS_MAX;
use actum_runtime::{
    AskError, Bound, Runtime,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use std::{future::IntoFuture, time::Duration};

const MIB: usize = 1 << 20;

fn of_an_entity(commands: usize) -> EntitySettings<Account> {
    EntitySettings::default().with_commands_max(commands)
}

fn patient() -> RuntimeSettings {
    RuntimeSettings::default().with_ask_timeout(Duration::from_secs(3600))
}

#[tokio::test(start_paused = true)]
async fn so_many_commands_of_an_entity_wait_for_its_recovery() {
    let rig = Rig::new();
    let engine = rig.start_accounts(of_an_entity(3)).await;
    let a = account(&engine, "a");
    let reading = rig.hold_next(Operation::Recover);
    let waiting: Vec<_> = (0..3).map(|_| send(a.ask(Deposit(1)))).collect();
    reading.held(1).await;
    let error = a.ask(Deposit(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "overloaded: too many commands wait for this entity");
    assert_is!(a.state().await, Err(AskError::Overloaded { bound: Bound::EntityCommands }));
    assert_eq!(account(&engine, "b").ask(Deposit(1)).await.unwrap(), 1);
    reading.open();
    for (at, asking) in (1..).zip(waiting) {
        assert_eq!(asking.await.unwrap().unwrap(), at);
    }
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 4);
    assert_eq!(rig.events("a").await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn so_many_commands_of_an_entity_wait_for_a_commit() {
    let rig = Rig::new();
    let engine = rig.start_accounts(of_an_entity(3)).await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(1)));
    gate.held(1).await;
    let (staged, query) = (send(a.ask(Deposit(1))), send(a.ask(Balance)));
    all_wait().await;
    for refused in [a.ask(Deposit(1)).await, a.ask(Balance).await] {
        assert_is!(refused, Err(AskError::Overloaded { bound: Bound::EntityCommands }));
    }
    gate.open();
    assert_eq!(sent.await.unwrap().unwrap(), 1);
    assert_eq!(staged.await.unwrap().unwrap(), 2);
    assert_eq!(query.await.unwrap().unwrap(), 2);
    assert_eq!(a.ask(Deposit(1)).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn so_many_commands_of_an_entity_wait_until_it_has_left() {
    let rig = Rig::new();
    let engine = rig.start_accounts(of_an_entity(3)).await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let leaving = send(a.ask(Leave(1)));
    gate.held(1).await;
    let waiting: Vec<_> = (0..2).map(|_| send(a.ask(Deposit(1)))).collect();
    all_wait().await;
    let refused = a.ask(Deposit(1)).await;
    assert_is!(refused, Err(AskError::Overloaded { bound: Bound::EntityCommands }));
    gate.open();
    assert_eq!(leaving.await.unwrap().unwrap(), 1);
    for (at, asking) in (2..).zip(waiting) {
        assert_eq!(asking.await.unwrap().unwrap(), at);
    }
}

#[tokio::test(start_paused = true)]
async fn so_many_commands_of_a_kind_wait_in_the_inbox_of_a_partition() {
    let rig = Rig::of_one_partition();
    let settings = patient().with_partition_commands_max(5);
    let engine = rig.start_with(vec![accounts(), notes()], settings).await;
    // the partition gets no turn before this test waits for something
    let waiting: Vec<_> =
        (0..5).map(|n| account(&engine, &n.to_string()).ask(Deposit(1)).into_future()).collect();
    let error = account(&engine, "b").tell(Deposit(1)).unwrap_err().0;
    assert_eq!(error.to_string(), "overloaded: too many commands wait in the entity's partition");
    let other_kind = note(&engine, "a").ask(Write("x".into())).into_future();
    let refused = account(&engine, "b").ask(Deposit(1)).await;
    assert_is!(refused, Err(AskError::Overloaded { bound: Bound::PartitionCommands }));
    for asking in waiting {
        assert_eq!(asking.await.unwrap(), 1);
    }
    other_kind.await.unwrap();
    assert_eq!(account(&engine, "b").ask(Deposit(1)).await.unwrap(), 1);
    assert_eq!(engine.usage().commands, 0);
}

#[tokio::test(start_paused = true)]
async fn so_many_commands_wait_in_the_engine() {
    let rig = Rig::new();
    let settings = patient().with_commands_max(5);
    let engine = rig.start_with(vec![accounts(), notes()], settings).await;
    let gate = rig.hold_next(Operation::Append);
    let waiting: Vec<_> =
        (0..5).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)))).collect();
    gate.held(1).await;
    all_wait().await;
    assert_eq!(engine.usage().commands, 5);
    let error = account(&engine, "b").tell(Deposit(1)).unwrap_err().0;
    assert_eq!(error.to_string(), "overloaded: too many commands wait in this engine");
    let refused = note(&engine, "a").ask(Write("x".into())).await;
    assert_is!(refused, Err(AskError::Overloaded { bound: Bound::EngineCommands }));
    assert_eq!(engine.usage().commands, 5);
    gate.open();
    for asking in waiting {
        assert_eq!(asking.await.unwrap().unwrap(), 1);
    }
    assert_eq!(engine.usage().commands, 0);
    note(&engine, "a").ask(Write("x".into())).await.unwrap();
}

/// An engine that lets 1 MiB of changes wait.
async fn start_narrow(rig: &Rig) -> Runtime {
    let settings = patient().with_journal_bytes_max(MIB);
    rig.start_with(vec![accounts(), notes()], settings).await
}

#[tokio::test(start_paused = true)]
async fn so_many_bytes_of_events_wait_for_the_journal() {
    let rig = Rig::new();
    let engine = start_narrow(&rig).await;
    let gate = rig.hold_next(Operation::Append);
    let mut waiting = Vec::new();
    for n in 0..100 {
        // 1000 events of 27 bytes, and of 128 that each counts for beside
        let amounts = DepositAll(vec![1_000_000_000_000; 1_000]);
        waiting.push(send(account(&engine, &(n % 20).to_string()).ask(amounts)));
        all_wait().await;
    }
    gate.held(1).await;
    let refused = waiting.iter().filter(|asking| asking.is_finished()).count();
    assert_eq!(refused, 100 - MIB.div_ceil(155_000));
    let query = account(&engine, "other").ask(Balance).await;
    assert_is!(query, Err(AskError::Overloaded { bound: Bound::JournalBytes }));
    gate.open();
    let mut stored = 0;
    for asking in waiting {
        match asking.await.unwrap() {
            Ok(_) => stored += 1_000,
            error => assert_is!(error, Err(AskError::Overloaded { bound: Bound::JournalBytes })),
        }
    }
    assert_eq!(rig.faults.counts().events_confirmed, stored);
    account(&engine, "0").ask(Deposit(1)).await.unwrap();
}

/// What gathers behind an append goes as one append, which must not be larger than a store takes.
#[tokio::test(start_paused = true)]
async fn so_many_events_of_an_entity_gather_for_one_append() {
    let rig = Rig::new();
    let settings = patient().with_journal_bytes_max(1024 * MIB);
    let engine = rig.start_with(vec![accounts()], settings).await;
    let gate = rig.hold_next(Operation::Append);
    let mut waiting = Vec::new();
    for _ in 0..15 {
        waiting.push(send(account(&engine, "a").ask(DepositAll(vec![1; 10_000]))));
        all_wait().await;
    }
    gate.held(1).await;
    gate.open();
    let mut stored = 0;
    for asking in waiting {
        match asking.await.unwrap() {
            Ok(_) => stored += 10_000,
            error => assert_is!(error, Err(AskError::Overloaded { bound: Bound::JournalBytes })),
        }
    }
    assert_eq!(stored, 10_000 + BATCH_EVENTS_MAX, "one append under way, and one behind it");
    assert_eq!(rig.faults.counts().events_confirmed, stored as u64);
    account(&engine, "a").ask(DepositAll(vec![1; 10_000])).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn bytes_that_failed_wait_no_longer() {
    let rig = Rig::new();
    let engine = start_narrow(&rig).await;
    let large = || DepositAll(vec![1_000_000_000_000; 4_000]);
    for _ in 0..20 {
        let gate = Gate::closed();
        rig.faults.next(Operation::Append, Fault::unavailable().held_before(&gate));
        let sent = send(account(&engine, "a").ask(large()));
        gate.held(1).await;
        let staged = send(account(&engine, "a").ask(large()));
        all_wait().await;
        gate.open();
        for asking in [sent, staged] {
            assert_is!(asking.await.unwrap(), Err(AskError::Unavailable { .. }));
        }
    }
    account(&engine, "a").ask(large()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn so_many_bytes_of_states_wait_for_the_store() {
    let rig = Rig::new();
    let engine = start_narrow(&rig).await;
    let gate = rig.hold_next(Operation::WriteStates);
    let text = "x".repeat(100_000);
    let mut waiting = Vec::new();
    for n in 0..30 {
        waiting.push(send(note(&engine, &n.to_string()).ask(Write(text.clone()))));
        all_wait().await;
    }
    gate.held(1).await;
    let refused = waiting.iter().filter(|asking| asking.is_finished()).count();
    assert_eq!(refused, 30 - MIB.div_ceil(100_000));
    gate.open();
    for asking in waiting {
        assert_is!(
            asking.await.unwrap(),
            Ok(_) | Err(AskError::Overloaded { bound: Bound::JournalBytes })
        );
    }
    note(&engine, "0").ask(Write(text)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_in_one_turn_stages_no_more_than_the_bound() {
    let rig = Rig::of_one_partition();
    let engine = start_narrow(&rig).await;
    account(&engine, "a").ask(Balance).await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let flood: Vec<_> = (0..1_000)
        .map(|_| account(&engine, "a").ask(DepositAll(vec![1_000_000_000_000; 100])).into_future())
        .collect();
    gate.held(1).await;
    assert_eq!(engine.usage().commands, MIB.div_ceil(15_500));
    gate.open();
    let mut stored = 0;
    for asking in flood {
        stored += usize::from(asking.await.is_ok());
    }
    assert_eq!(stored, MIB.div_ceil(15_500));
    assert_eq!(rig.events("a").await.len(), stored * 100);
}

#[tokio::test(start_paused = true)]
async fn a_flood_over_a_store_that_hangs_is_held_by_the_bounds_until_the_callers_give_up() {
    let rig = Rig::new();
    let settings =
        RuntimeSettings::default().with_commands_max(500).with_partition_commands_max(50);
    let engine = rig.start_set(settings).await;
    let append = rig.hold_next(Operation::Append);
    let read = rig.hold_next(Operation::Recover);
    for n in 0..20_000 {
        // no one waits for them, so nothing but the engine holds them back
        let _ = account(&engine, &(n % 3_000).to_string()).tell(Deposit(1));
        if n % 100 == 0 {
            all_wait().await;
        }
        let usage = engine.usage();
        assert!(usage.commands <= 500 && usage.entities <= 3_000, "{usage:?}");
    }
    append.open();
    read.open();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(engine.usage().commands, 0);
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
}
