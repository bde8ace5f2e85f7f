//! An engine says how it is, and when it has been replaced.

use crate::{
    account::{Balance, Deposit},
    fragile::{Actions, Grenade, fragile, registered},
    rig::{Gate, Rig, account, accounts, all_wait, send},
};
use actum_persistence::store::WriterStore;
use actum_runtime::{Health, HealthState, PartitionHealth, Runtime, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(9);
const AWAY: &str = "the store is unavailable: scripted fault: the store is away";

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE)
}

fn assert_well(engine: &Runtime) {
    let Health { state, reasons, lease, store, partitions, .. } = engine.health();
    assert_eq!((state, &reasons[..]), (HealthState::Serving, &[][..]));
    assert!(lease.held_for > LEASE / 2 && lease.held_for <= LEASE, "{lease:?}");
    assert_eq!((lease.failing, store.failing), (None, None));
    let PartitionHealth { running, restarting, stuck, .. } = partitions;
    assert_eq!((running, restarting, stuck), (256, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_serves_is_well() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    for _ in 0..100 {
        assert_well(&engine);
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
        sleep(SECOND / 3).await;
    }
}

#[tokio::test(start_paused = true)]
async fn renewals_that_fail_are_reported_before_and_after_the_lease_has_lapsed() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    rig.faults.always(Operation::Renew, Fault::unavailable());
    sleep(LEASE * 2 / 3).await;
    let health = engine.health();
    assert_eq!(health.lease.held_for, LEASE / 3);
    let failing = health.lease.failing.unwrap();
    assert_eq!((failing.lasting, &*failing.error), (LEASE / 3, AWAY));
    let why = format!("the writer lease ends in 3s unless renewed: renewals fail for 3s: {AWAY}");
    assert_eq!((health.state, health.reasons), (HealthState::Serving, vec![why]));

    sleep(LEASE / 3).await;
    let health = engine.health();
    assert!(!health.is_serving() && health.lease.held_for.is_zero());
    let why =
        format!("the writer lease could not be renewed in time: renewals fail for 6s: {AWAY}");
    assert_eq!((health.state, health.reasons), (HealthState::Suspended, vec![why]));
    account(&engine, "a").ask(Balance).await.unwrap_err();

    rig.faults.stop();
    sleep(SECOND).await;
    assert_well(&engine);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_is_reported() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let gate = Gate::closed();
    rig.faults.next(Operation::Renew, Fault::none().held_before(&gate));
    sleep(LEASE + SECOND).await;
    let health = engine.health();
    assert_eq!(health.state, HealthState::Suspended);
    let why = "the store has not answered before the lease ended";
    assert!(health.reasons[0].ends_with(why), "{health:?}");
    gate.open();
    all_wait().await; // and it renews again at once: much of this lease has passed while it waited
    assert_well(&engine);
}

#[tokio::test(start_paused = true)]
async fn writes_that_fail_are_reported_until_one_succeeds() {
    let kinds = || vec![accounts(), crate::note::notes()];
    for operation in Operation::WRITES {
        let rig = Rig::new();
        let engine = rig.start_with(kinds(), leased()).await;
        let write = async || {
            let (a, n) = (account(&engine, "a"), crate::note::note(&engine, "n"));
            let (a, n) = (send(a.ask(Deposit(1))), send(n.ask(crate::note::Write("x".into()))));
            (a.await.unwrap().is_ok(), n.await.unwrap().is_ok())
        };
        assert_eq!(write().await, (true, true));
        assert_well(&engine);
        for nr in 0..2 {
            rig.faults.next(operation, Fault::unavailable());
            let n = crate::note::note(&engine, "n");
            let failed = match operation {
                Operation::Append => account(&engine, "a").ask(Deposit(1)).await.is_err(),
                _ => n.ask(crate::note::Write("x".into())).await.is_err(),
            };
            assert!(failed);
            sleep(SECOND).await;
            let health = engine.health();
            assert_eq!(health.state, HealthState::Serving, "the next command may succeed");
            let failing = health.store.failing.unwrap();
            assert_eq!((failing.lasting, &*failing.error), (SECOND + nr * SECOND, AWAY));
            assert_eq!(health.reasons.len(), 1);
        }
        assert_eq!(write().await, (true, true));
        assert_well(&engine);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_down_is_counted_until_it_runs_again() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_with(vec![registered(&Actions::default())], leased()).await;
    for _ in 0..3 {
        fragile(&engine, "f").ask(Grenade).await.unwrap_err();
        all_wait().await;
    }
    let health = engine.health();
    let PartitionHealth { running, restarting, .. } = health.partitions;
    assert_eq!((running, restarting), (0, 1), "{health:?}");
    assert_eq!(health.reasons, ["1 of 1 partitions is being restarted"]);
    sleep(3 * SECOND).await;
    assert_eq!(engine.health().partitions.running, 1);
    assert!(engine.health().reasons.is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_callers_who_wait_for_the_fence_are_woken_by_it() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.fenced().await })
        })
        .collect();
    {
        let mut given_up = pin!(engine.fenced());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(given_up.as_mut().poll(&mut context), Poll::Pending);
    }
    sleep(10 * LEASE).await;
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap();
    }
    engine.fenced().await;
    let health = engine.health();
    let why = "another engine has taken over the journal";
    assert_eq!((health.state, &*health.reasons[0]), (HealthState::Fenced, why));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_shut_down_says_so() {
    let rig = Rig::new();
    let engine = rig.start_set(leased()).await;
    assert!(engine.shutdown().await.is_clean());
    sleep(2 * LEASE).await;
    let health = engine.health();
    assert_eq!(health.state, HealthState::ShutDown);
    assert_eq!(health.reasons, ["the engine was shut down"]);
}
