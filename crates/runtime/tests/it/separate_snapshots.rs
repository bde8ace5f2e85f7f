//! Snapshots beside a journal that they do not belong to, or in a store that is away.

use crate::{
    account::{Account, Balance, Deposit},
    rig::{Rig, account, all_wait, assert_is, key},
};
use actum_model::SequenceNr;
use actum_persistence::store::{SnapshotStore, StoreError, Stores};
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_store_memory::MemoryStore;
use actum_testkit::{Fault, FaultStore, Faults, Operation};
use std::sync::Arc;

/// An engine whose snapshots are in a store of their own.
async fn start(
    rig: &Rig,
    snapshots: impl SnapshotStore,
    policy: Option<SnapshotSettings<Account>>,
) -> Runtime {
    let mut settings = EntitySettings::default();
    if let Some(policy) = policy {
        settings = settings.with_snapshots(policy);
    }
    let kinds = vec![Registration::event_sourced::<Account>((), settings)];
    let stores = Stores::of(rig.store()).with_snapshots(Arc::new(snapshots));
    Runtime::start("bank", Some(stores), kinds, RuntimeSettings::default()).await.unwrap()
}

async fn deposit(engine: &Runtime, amount: u64, times: u64) {
    for _ in 0..times {
        account(engine, "a").ask(Deposit(amount)).await.unwrap();
    }
    all_wait().await;
}

async fn taken(snapshots: &MemoryStore, at_most: u64) -> Option<u64> {
    let at_most = SequenceNr::new(at_most);
    let found = SnapshotStore::load(&snapshots.reopen(), &key("account", "a"), at_most).await;
    found.unwrap().map(|snapshot| snapshot.sequence_nr.get())
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_lost_events_is_not_believed_then_or_later() {
    let (rig, snapshots) = (Rig::new(), MemoryStore::new());
    let engine = start(&rig, snapshots.reopen(), Some(SnapshotSettings::every(5))).await;
    deposit(&engine, 1, 10).await;
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(taken(&snapshots, u64::MAX).await, Some(10));

    // the journal is restored to where it was before, the snapshots are not
    let restored = Rig::new();
    let policy = || Some(SnapshotSettings::every(7));
    let engine = start(&restored, snapshots.reopen(), policy()).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 0, "ahead of the journal");
    deposit(&engine, 3, 4).await;
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&restored, snapshots.reopen(), policy()).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 12, "still ahead");
    deposit(&engine, 3, 8).await;
    assert!(engine.shutdown().await.is_clean());

    // now the journal has other events with the numbers of the snapshots 5 and 10
    assert_eq!(taken(&snapshots, u64::MAX).await, Some(10));
    let engine = start(&restored, snapshots.reopen(), policy()).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 36);
    deposit(&engine, 3, 9).await;
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&restored, snapshots.reopen(), policy()).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 63);
}

#[tokio::test(start_paused = true)]
async fn events_are_not_deleted_behind_a_snapshot_of_lost_events() {
    let (rig, snapshots) = (Rig::new(), MemoryStore::new());
    let engine = start(&rig, snapshots.reopen(), Some(SnapshotSettings::every(5))).await;
    deposit(&engine, 1, 5).await;
    assert!(engine.shutdown().await.is_clean());

    let restored = Rig::new();
    let policy = || SnapshotSettings::every(8).with_snapshots_kept(2).with_events_deleted(true);
    let engine = start(&restored, snapshots.reopen(), Some(policy())).await;
    deposit(&engine, 3, 8).await;
    // there are 8 and, of the lost history, 5
    assert_eq!(restored.events("a").await.len(), 8);
    deposit(&engine, 3, 8).await;
    assert_eq!(restored.stored("account", "a").await[0].sequence_nr.get(), 9);
    assert_eq!(taken(&snapshots, 7).await, None);
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&restored, snapshots.reopen(), Some(policy())).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 48);
}

#[tokio::test(start_paused = true)]
async fn an_entity_whose_only_snapshot_is_ahead_of_the_journal_says_so() {
    let (rig, snapshots) = (Rig::new(), MemoryStore::new());
    let policy = || SnapshotSettings::every(5).with_snapshots_kept(1).with_events_deleted(true);
    let engine = start(&rig, snapshots.reopen(), Some(policy())).await;
    deposit(&engine, 1, 6).await;
    assert!(engine.shutdown().await.is_clean());

    let behind = Rig::new();
    behind.memory.advance_entity(&key("account", "a"), SequenceNr::new(3));
    let engine = start(&behind, snapshots.reopen(), Some(policy())).await;
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert_is!(
        &error,
        AskError::Corrupt { what } if what.ends_with(
            "the snapshot at 5 was skipped: it is ahead of the journal, which ends at 3"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_store_that_is_away_is_unavailable_and_a_corrupt_one_is_no_loss() {
    let (rig, memory, faults) = (Rig::new(), MemoryStore::new(), Faults::new());
    let snapshots = || FaultStore::scripted(memory.reopen(), &faults);
    let engine = start(&rig, snapshots(), Some(SnapshotSettings::every(5))).await;
    deposit(&engine, 1, 8).await;
    assert!(engine.shutdown().await.is_clean());

    let engine = start(&rig, snapshots(), Some(SnapshotSettings::every(5))).await;
    faults.next(Operation::LoadSnapshot, Fault::unavailable());
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert_is!(&error, AskError::Unavailable { .. });
    faults.next_n(Operation::LoadSnapshot, 2, Fault::fail(StoreError::corrupt("a torn page")));
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 8);
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn where_events_are_deleted_a_snapshot_store_that_is_away_is_not_corrupt() {
    let (rig, memory, faults) = (Rig::new(), MemoryStore::new(), Faults::new());
    let snapshots = || FaultStore::scripted(memory.reopen(), &faults);
    let policy = SnapshotSettings::every(5).with_snapshots_kept(1).with_events_deleted(true);
    let engine = start(&rig, snapshots(), Some(policy.clone())).await;
    deposit(&engine, 1, 5).await;
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&rig, snapshots(), Some(policy)).await;
    faults.next(Operation::LoadSnapshot, Fault::unavailable());
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert_is!(&error, AskError::Unavailable { .. });
    faults.always(Operation::LoadSnapshot, Fault::fail(StoreError::corrupt("a torn page")));
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    let said = error.to_string();
    assert_is!(&error, AskError::Corrupt { .. });
    assert!(said.contains("events of account/a up to 5 were deleted, and its snapshots"), "{said}");
    assert!(said.contains("a torn page"), "{said}");
    faults.stop();
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn snapshots_that_are_turned_off_where_events_are_deleted_are_named_as_the_cause() {
    let (rig, snapshots) = (Rig::new(), MemoryStore::new());
    let policy = SnapshotSettings::every(5).with_snapshots_kept(1).with_events_deleted(true);
    let engine = start(&rig, snapshots.reopen(), Some(policy.clone())).await;
    deposit(&engine, 1, 6).await;
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&rig, snapshots.reopen(), None).await;
    let error = account(&engine, "a").ask(Balance).await.unwrap_err();
    assert_is!(
        &error,
        AskError::Invalid { what } if what == "account/a: events up to 5 were deleted behind a snapshot, and kind \
            `account` is registered without snapshots; register it with the snapshot settings it had"
    );
    assert!(engine.shutdown().await.is_clean());
    let engine = start(&rig, snapshots.reopen(), Some(policy)).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 6);
}
