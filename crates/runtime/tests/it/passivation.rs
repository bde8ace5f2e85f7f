//! Entities leave memory and come back, and no caller notices.

use crate::{
    account::{Account, Balance, Deposit, Leave},
    rig::{Gate, Rig, account, accounts, all_wait, assert_is, send},
};
use actum_runtime::{
    AskError, Runtime,
    settings::{EntitySettings, RuntimeSettings},
};
use actum_testkit::{Fault, Operation};
use std::time::Duration;
use tokio::time::sleep;

const MINUTE: Duration = Duration::from_secs(60);

fn idle_after(timeout: Duration) -> EntitySettings<Account> {
    EntitySettings::default().with_idle_timeout(Some(timeout))
}

fn entities_max(entities: usize) -> RuntimeSettings {
    RuntimeSettings::default().with_entities_max(entities)
}

#[tokio::test(start_paused = true)]
async fn an_idle_entity_leaves_and_the_next_command_recovers_it() {
    let rig = Rig::new();
    let engine = rig.start_accounts(idle_after(MINUTE)).await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).await.unwrap();
    sleep(MINUTE - Duration::from_secs(1)).await;
    assert_eq!(engine.usage().entities, 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(engine.usage().entities, 0);
    assert_eq!(a.ask(Balance).await.unwrap(), 5);
    assert_eq!(rig.faults.calls(Operation::Recover), 2);
}

#[tokio::test(start_paused = true)]
async fn each_command_begins_the_idle_time_of_its_entity_again() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_accounts(idle_after(MINUTE)).await;
    let (used, unused) = (account(&engine, "used"), account(&engine, "unused"));
    unused.ask(Deposit(5)).await.unwrap();
    for _ in 0..10 {
        used.ask(Balance).await.unwrap();
        sleep(MINUTE / 2).await;
    }
    assert_eq!(engine.usage().entities, 1);
    assert_eq!(rig.faults.counts().entities_read, 2);
}

#[tokio::test(start_paused = true)]
async fn an_entity_at_work_does_not_leave() {
    let rig = Rig::new();
    let engine = rig.start_accounts(idle_after(MINUTE)).await;
    let gate = rig.hold_next(Operation::Append);
    let change = send(account(&engine, "a").ask(Deposit(5)).timeout(60 * MINUTE));
    gate.held(1).await;
    let reading = rig.hold_next(Operation::Recover);
    let query = send(account(&engine, "b").ask(Balance).timeout(60 * MINUTE));
    reading.held(1).await;
    sleep(10 * MINUTE).await;
    assert_eq!(engine.usage().entities, 2);
    gate.open();
    reading.open();
    assert_eq!(change.await.unwrap().unwrap(), 5);
    assert_eq!(query.await.unwrap().unwrap(), 0);
    sleep(3 * MINUTE).await;
    assert_eq!(engine.usage().entities, 0);
}

#[tokio::test(start_paused = true)]
async fn without_an_idle_timeout_an_entity_stays() {
    let rig = Rig::new();
    let settings = EntitySettings::default().with_idle_timeout(None);
    let engine = rig.start_accounts(settings).await;
    account(&engine, "a").ask(Deposit(5)).await.unwrap();
    sleep(60 * 24 * MINUTE).await;
    assert_eq!(engine.usage().entities, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_let_its_entity_leave() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Leave(5)).await.unwrap(), 5);
    assert_eq!(engine.usage().entities, 0);
    assert_eq!(a.ask(Leave(0)).await.unwrap(), 5);
    assert_eq!(engine.usage().entities, 0);
    assert_eq!(a.ask(Balance).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn commands_that_come_while_an_entity_leaves_recover_it() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let leaving = send(a.ask(Leave(5)));
    gate.held(1).await;
    let asking: Vec<_> = (0..10).map(|_| send(a.ask(Deposit(1)))).collect();
    all_wait().await;
    gate.open();
    assert_eq!(leaving.await.unwrap().unwrap(), 5);
    for (at, asking) in asking.into_iter().enumerate() {
        assert_eq!(asking.await.unwrap().unwrap(), at as u64 + 6);
    }
    assert_eq!(rig.faults.calls(Operation::Recover), 2);
}

#[tokio::test(start_paused = true)]
async fn commands_that_wait_for_a_leaving_entity_survive_its_failed_append() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = Gate::closed();
    rig.faults.next(Operation::Append, Fault::unavailable().held_before(&gate));
    let leaving = send(a.ask(Leave(5)));
    gate.held(1).await;
    let waiting = send(a.ask(Deposit(1)));
    all_wait().await;
    gate.open();
    assert_is!(leaving.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands_that_wait_for_a_recovery_are_answered_when_one_of_them_lets_the_entity_leave() {
    for leave in [Leave(0), Leave(5)] {
        let rig = Rig::new();
        let engine = rig.start().await;
        let a = account(&engine, "a");
        let reading = rig.hold_next(Operation::Recover);
        let expected = leave.0;
        let first = send(a.ask(Deposit(1)));
        let leaving = send(a.ask(leave));
        let also_leaving = send(a.ask(Leave(0)));
        let last = send(a.ask(Deposit(1)));
        reading.held(1).await;
        reading.open();
        assert_eq!(first.await.unwrap().unwrap(), 1);
        assert_eq!(leaving.await.unwrap().unwrap(), 1 + expected);
        assert_eq!(also_leaving.await.unwrap().unwrap(), 1 + expected);
        assert_eq!(last.await.unwrap().unwrap(), 2 + expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_lets_the_entity_leave_is_followed_by_those_that_waited_with_it() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let reading = rig.hold_next(Operation::Recover);
    let leaving = send(a.ask(Leave(0)));
    let next = send(a.ask(Deposit(1)));
    let last = send(a.ask(Balance));
    reading.held(1).await;
    reading.open();
    assert_eq!(leaving.await.unwrap().unwrap(), 0);
    assert_eq!(next.await.unwrap().unwrap(), 1);
    assert_eq!(last.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_entities_stay_in_memory_than_allowed() {
    let rig = Rig::new();
    let engine = rig.start_set(entities_max(10)).await;
    for n in 0..100u64 {
        assert_eq!(account(&engine, &n.to_string()).ask(Deposit(n)).await.unwrap(), n);
    }
    all_wait().await;
    assert!(engine.usage().entities <= 10, "{}", engine.usage().entities);
    for n in 0..100u64 {
        assert_eq!(account(&engine, &n.to_string()).ask(Balance).await.unwrap(), n);
    }
    let together: Vec<_> =
        (0..100).map(|n: u64| send(account(&engine, &n.to_string()).ask(Balance))).collect();
    for (n, asking) in together.into_iter().enumerate() {
        assert_eq!(asking.await.unwrap().unwrap(), n as u64);
    }
    all_wait().await;
    assert!(engine.usage().entities <= 10, "{}", engine.usage().entities);
}

/// Wakes entities, and says how many recoveries one more command to `id` takes.
async fn recoveries_of(rig: &Rig, engine: &Runtime, id: &str) -> u64 {
    all_wait().await;
    let before = rig.faults.counts().entities_read;
    account(engine, id).ask(Balance).await.unwrap();
    all_wait().await;
    rig.faults.counts().entities_read - before
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_entity_of_a_partition_makes_room() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_set(entities_max(3)).await;
    for id in ["a", "b", "c", "a", "d"] {
        account(&engine, id).ask(Balance).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(engine.usage().entities, 3);
    assert_eq!(recoveries_of(&rig, &engine, "a").await, 0);
    assert_eq!(recoveries_of(&rig, &engine, "c").await, 0);
    assert_eq!(recoveries_of(&rig, &engine, "d").await, 0);
    assert_eq!(recoveries_of(&rig, &engine, "b").await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_least_recently_used_entity_of_the_engine_makes_room() {
    let rig = Rig::new();
    let engine = rig.start_set(entities_max(20)).await;
    for n in 0..20 {
        account(&engine, &format!("cold {n}")).ask(Balance).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    // in another partition than most of the others, and used all the time
    for _ in 0..20 {
        account(&engine, "hot").ask(Balance).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(rig.faults.counts().entities_read, 21, "the hot entity was let go again and again");
    assert_eq!(engine.usage().entities, 20);
    assert_eq!(recoveries_of(&rig, &engine, "cold 1").await, 0);
    assert_eq!(recoveries_of(&rig, &engine, "cold 0").await, 1);
}

#[tokio::test(start_paused = true)]
async fn entities_at_work_are_not_let_go_for_room() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_set(entities_max(1)).await;
    let gate = rig.hold_next(Operation::Append);
    let changes: Vec<_> =
        (0..10).map(|n| send(account(&engine, &n.to_string()).ask(Deposit(1)))).collect();
    gate.held(1).await;
    all_wait().await;
    assert_eq!(engine.usage().entities, 10);
    gate.open();
    for change in changes {
        assert_eq!(change.await.unwrap().unwrap(), 1);
    }
    all_wait().await;
    assert_eq!(engine.usage().entities, 1);
}

#[tokio::test(start_paused = true)]
async fn kinds_share_the_cap_of_their_engine() {
    let rig = Rig::new();
    let engine = rig.start_with(vec![accounts(), crate::note::notes()], entities_max(4)).await;
    for n in 0..10 {
        account(&engine, &n.to_string()).ask(Deposit(1)).await.unwrap();
        crate::note::note(&engine, &n.to_string())
            .ask(crate::note::Write("x".into()))
            .await
            .unwrap();
    }
    all_wait().await;
    assert!(engine.usage().entities <= 4, "{}", engine.usage().entities);
}
