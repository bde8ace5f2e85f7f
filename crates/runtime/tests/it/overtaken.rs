//! A recovery that retention overtakes begins again: as long as more is deleted, and twice without that.

use crate::{
    account::{Account, Balance, Deposit},
    rig::{Gate, Rig, account, all_wait, key, send},
};
use actum_model::SequenceNr;
use actum_persistence::store::{EventStore, WriterClaim, WriterStore};
use actum_runtime::{
    Runtime,
    settings::{EntitySettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use std::time::Duration;

/// An engine that has not recovered the account `a` of ten events yet, the last of them in a snapshot.
async fn start(rig: &Rig) -> Runtime {
    let settings = EntitySettings::<Account>::default().with_snapshots(SnapshotSettings::every(10));
    let engine = rig.start_accounts(settings.clone()).await;
    for _ in 0..10 {
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
    }
    all_wait().await;
    assert!(engine.shutdown().await.is_clean());
    rig.faults.reset_counts();
    rig.start_accounts(settings).await
}

/// Deletes events up to this one as retention does.
async fn delete_up_to(rig: &Rig, nr: u64) {
    let store = rig.memory.reopen();
    let (slot, holder) = ("retention".into(), "a test".into());
    let claim = WriterClaim { slot, holder, lease: Duration::from_secs(10), replaces: None };
    let incarnation = store.claim(&claim).await.unwrap();
    store.delete_events(incarnation, &key("account", "a"), SequenceNr::new(nr)).await.unwrap();
    store.release(incarnation).await.unwrap();
}

/// A read that came too early for the snapshot.
fn without_snapshot() -> Fault {
    Fault::damaged_snapshot(Damage::Missing)
}

#[tokio::test(start_paused = true)]
async fn it_begins_again_as_often_as_more_was_deleted() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let rounds = [2, 4, 6, 8].map(|deleted| (deleted, Gate::closed()));
    for (_, gate) in &rounds {
        rig.faults.next(Operation::Recover, without_snapshot().held_before(gate));
    }
    let asking = send(account(&engine, "a").ask(Balance));
    for (deleted, gate) in &rounds {
        gate.held(1).await;
        delete_up_to(&rig, *deleted).await;
        gate.open();
    }
    assert_eq!(asking.await.unwrap().unwrap(), 10);
    assert_eq!(rig.faults.calls(Operation::Recover), 5);
}

#[tokio::test(start_paused = true)]
async fn it_begins_again_twice_when_no_more_was_deleted() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    delete_up_to(&rig, 5).await;
    rig.faults.next_n(Operation::Recover, 2, without_snapshot());
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 10);
    assert_eq!(rig.faults.calls(Operation::Recover), 3);
}
