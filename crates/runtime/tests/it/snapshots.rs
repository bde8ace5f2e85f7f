//! Snapshots shorten recovery, and nothing depends on them.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Leave},
    rig::{Rig, account, all_wait, assert_is, key, send},
};
use actum_model::SequenceNr;
use actum_persistence::{
    serializer::SizeLimits,
    store::{Snapshot, SnapshotStore, StoreError},
};
use actum_runtime::{
    AskError, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};

fn with(snapshots: SnapshotSettings<Account>) -> EntitySettings<Account> {
    EntitySettings::default().with_snapshots(snapshots)
}

async fn newest(rig: &Rig, id: &str) -> Option<Snapshot> {
    at_most(rig, id, u64::MAX).await
}

async fn at_most(rig: &Rig, id: &str, nr: u64) -> Option<Snapshot> {
    rig.memory.reopen().load(&key("account", id), SequenceNr::new(nr)).await.unwrap()
}

fn nr(snapshot: Option<Snapshot>) -> Option<u64> {
    snapshot.map(|snapshot| snapshot.sequence_nr.get())
}

async fn deposit(engine: &Runtime, id: &str, times: usize) {
    for _ in 0..times {
        account(engine, id).ask(Deposit(1)).await.unwrap();
    }
    all_wait().await;
}

/// Restarts, and says how many events the balance of `a` was read from.
async fn events_read(rig: &Rig, settings: &EntitySettings<Account>, balance: u64) -> u64 {
    let before = rig.faults.counts().events_read;
    let engine = rig.start_accounts(settings.clone()).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), balance);
    let _ = engine.shutdown().await;
    rig.faults.counts().events_read - before
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_taken_when_the_interval_is_crossed() {
    let rig = Rig::new();
    let settings = with(SnapshotSettings::every(5));
    let engine = rig.start_accounts(settings.clone()).await;
    deposit(&engine, "a", 4).await;
    assert_eq!(newest(&rig, "a").await, None);
    // 4 and 3 more: the interval is crossed, not met
    account(&engine, "a").ask(DepositAll(vec![1; 3])).await.unwrap();
    all_wait().await;
    let snapshot = newest(&rig, "a").await.unwrap();
    assert_eq!(snapshot.sequence_nr.get(), 7);
    assert_eq!(snapshot.state.decode::<Account>().unwrap(), Account { balance: 7 });
    deposit(&engine, "a", 4).await;
    assert_eq!(nr(newest(&rig, "a").await), Some(7));
    deposit(&engine, "a", 1).await;
    assert_eq!(nr(newest(&rig, "a").await), Some(12));
    deposit(&engine, "a", 2).await;
    let _ = engine.shutdown().await;
    assert_eq!(events_read(&rig, &settings, 14).await, 2);
}

#[tokio::test(start_paused = true)]
async fn the_interval_counts_on_after_a_recovery() {
    let rig = Rig::new();
    let settings = with(SnapshotSettings::every(5));
    for _ in 0..5 {
        let engine = rig.start_accounts(settings.clone()).await;
        deposit(&engine, "a", 2).await;
        let _ = engine.shutdown().await;
    }
    assert_eq!(nr(newest(&rig, "a").await), Some(10));
    assert_eq!(nr(at_most(&rig, "a", 9).await), Some(5));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_changes_nothing_takes_no_snapshot() {
    let rig = Rig::new();
    let engine = rig.start().await;
    deposit(&engine, "a", 9).await;
    let _ = engine.shutdown().await;
    // the interval is over already when snapshots begin
    let engine = rig.start_accounts(with(SnapshotSettings::every(5))).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 9);
    all_wait().await;
    assert_eq!(newest(&rig, "a").await, None);
    deposit(&engine, "a", 1).await;
    assert_eq!(nr(newest(&rig, "a").await), Some(10));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_nothing_that_is_not_durable() {
    let rig = Rig::new();
    let engine = rig.start_accounts(with(SnapshotSettings::every(2))).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let first = send(a.ask(Deposit(1)));
    gate.held(1).await;
    rig.faults.next(Operation::Append, Fault::unavailable());
    let rest: Vec<_> = (0..9).map(|_| send(a.ask(Deposit(1)))).collect();
    all_wait().await;
    assert_eq!(newest(&rig, "a").await, None);
    gate.open();
    first.await.unwrap().unwrap();
    for asking in rest {
        assert_is!(asking.await.unwrap(), Err(AskError::Unavailable { .. }));
    }
    all_wait().await;
    assert_eq!(nr(newest(&rig, "a").await), Some(2));
    assert_eq!(a.ask(Balance).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_leaves_takes_a_snapshot_if_asked_and_if_it_changed() {
    let rig = Rig::new();
    let on = with(SnapshotSettings::every(1000).with_snapshot_on_passivation(true));
    let engine = rig.start_accounts(on.clone()).await;
    let a = account(&engine, "a");
    deposit(&engine, "a", 2).await;
    assert_eq!(a.ask(Leave(1)).await.unwrap(), 3);
    all_wait().await;
    assert_eq!(nr(newest(&rig, "a").await), Some(3));
    a.ask(Leave(0)).await.unwrap();
    all_wait().await;
    assert_eq!(rig.faults.counts().snapshots, 1, "nothing new was saved");
    deposit(&engine, "a", 1).await;
    let report = engine.shutdown().await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(nr(newest(&rig, "a").await), Some(4));

    let rig = Rig::new();
    let engine = rig.start_accounts(with(SnapshotSettings::every(1000))).await;
    account(&engine, "a").ask(Leave(1)).await.unwrap();
    all_wait().await;
    assert_eq!(newest(&rig, "a").await, None);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_snapshot_is_passed_over_for_the_one_before() {
    for damage in
        [Damage::Bytes, Damage::Manifest, Damage::NewerSchema, Damage::Codec, Damage::Metadata]
    {
        let rig = Rig::new();
        let settings = with(SnapshotSettings::every(5));
        let engine = rig.start_accounts(settings.clone()).await;
        deposit(&engine, "a", 11).await;
        let _ = engine.shutdown().await;
        rig.faults.next(Operation::Recover, Fault::damaged_snapshot(damage));
        // 1 behind the damaged one, the one that the snapshot before covers, and 6 behind that
        assert_eq!(events_read(&rig, &settings, 11).await, 1 + 1 + 6, "{damage:?}");
        assert_eq!(rig.faults.left(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_readable_snapshot_all_events_are_replayed() {
    let rig = Rig::new();
    let settings = with(SnapshotSettings::every(5));
    let engine = rig.start_accounts(settings.clone()).await;
    deposit(&engine, "a", 11).await;
    let _ = engine.shutdown().await;
    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Bytes));
    rig.faults.next(Operation::LoadSnapshot, Fault::damaged_snapshot(Damage::Bytes));
    assert_eq!(events_read(&rig, &settings, 11).await, 1 + 1 + 6 + 11);
    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Missing));
    assert_eq!(events_read(&rig, &settings, 11).await, 11);
    assert_eq!(rig.faults.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_older_snapshot_that_the_store_calls_corrupt_is_no_loss_either() {
    let rig = Rig::new();
    let settings = with(SnapshotSettings::every(5));
    let engine = rig.start_accounts(settings.clone()).await;
    deposit(&engine, "a", 11).await;
    let _ = engine.shutdown().await;
    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Bytes));
    rig.faults.next(Operation::LoadSnapshot, Fault::fail(StoreError::corrupt("a torn page")));
    assert_eq!(events_read(&rig, &settings, 11).await, 1 + 11);
}

#[tokio::test(start_paused = true)]
async fn snapshots_of_a_kind_that_takes_none_any_more_are_not_read() {
    let rig = Rig::new();
    let engine = rig.start_accounts(with(SnapshotSettings::every(2))).await;
    deposit(&engine, "a", 5).await;
    let _ = engine.shutdown().await;
    assert_eq!(events_read(&rig, &EntitySettings::default(), 5).await, 5);
}

#[tokio::test(start_paused = true)]
async fn snapshots_that_cannot_be_saved_do_no_harm_and_are_taken_again() {
    let rig = Rig::new();
    let settings = with(SnapshotSettings::every(5).with_events_deleted(true));
    let engine = rig.start_accounts(settings.clone()).await;
    rig.faults.next(Operation::SaveSnapshots, Fault::unavailable());
    rig.faults.next(Operation::SaveSnapshots, Fault::panic());
    deposit(&engine, "a", 12).await;
    assert_eq!(rig.faults.left(), 0);
    assert_eq!(newest(&rig, "a").await, None);
    assert_eq!(rig.events("a").await.len(), 12, "nothing is deleted without a snapshot");
    deposit(&engine, "a", 3).await;
    assert_eq!(nr(newest(&rig, "a").await), Some(15));
    let _ = engine.shutdown().await;
    assert_eq!(events_read(&rig, &settings, 15).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_on_its_way_keeps_no_command_waiting() {
    let rig = Rig::new();
    let engine = rig.start_accounts(with(SnapshotSettings::every(1))).await;
    let saving = rig.hold_next(Operation::SaveSnapshots);
    deposit(&engine, "a", 50).await;
    saving.held(1).await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 50);
    assert_eq!(newest(&rig, "a").await, None);
    saving.open();
    all_wait().await;
    assert_eq!(nr(newest(&rig, "a").await), Some(50));
}

#[tokio::test(start_paused = true)]
async fn snapshots_beyond_their_bytes_are_skipped() {
    let rig = Rig::new();
    let accounts = actum_runtime::Registration::event_sourced((), with(SnapshotSettings::every(1)));
    let settings = RuntimeSettings::default()
        .with_snapshot_bytes_max(100)
        .with_size_limits(SizeLimits::default().with_payload_bytes_max(100));
    let engine = rig.start_with(vec![accounts], settings).await;
    let saving = rig.hold_next(Operation::SaveSnapshots);
    deposit(&engine, "a", 1).await;
    saving.held(1).await;
    deposit(&engine, "a", 100).await;
    saving.open();
    all_wait().await;
    let saved = rig.faults.counts().snapshots;
    assert!((2..20).contains(&saved), "{saved} snapshots were saved");
    deposit(&engine, "a", 1).await;
    assert_eq!(nr(newest(&rig, "a").await), Some(102));
}

#[tokio::test(start_paused = true)]
async fn only_what_kept_snapshots_cover_is_deleted() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(5).with_snapshots_kept(2).with_events_deleted(true);
    let settings = with(snapshots);
    let engine = rig.start_accounts(settings.clone()).await;
    deposit(&engine, "a", 5).await;
    assert_eq!(first_event(&rig, 5).await, None, "5 is covered, and nothing is behind it");
    deposit(&engine, "a", 7).await;
    // snapshots 5 and 10 are kept: what is behind 5 is needed to recover from it
    assert_eq!(first_event(&rig, 5).await, Some(6));
    deposit(&engine, "a", 4).await;
    assert_eq!(first_event(&rig, 10).await, Some(11));
    assert_eq!(nr(at_most(&rig, "a", 9).await), None);
    let _ = engine.shutdown().await;

    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Bytes));
    assert_eq!(events_read(&rig, &settings, 16).await, 1 + 1 + 6);
}

/// The first event of `a` behind `after` that is left.
async fn first_event(rig: &Rig, after: u64) -> Option<u64> {
    let stored = rig.stored_after("account", "a", after).await;
    stored.first().map(|event| event.sequence_nr.get())
}

#[tokio::test(start_paused = true)]
async fn by_default_two_snapshots_and_all_events_are_kept() {
    let rig = Rig::new();
    let engine = rig.start_accounts(with(SnapshotSettings::every(5))).await;
    deposit(&engine, "a", 20).await;
    assert_eq!(rig.events("a").await.len(), 20);
    assert_eq!(nr(newest(&rig, "a").await), Some(20));
    assert_eq!(nr(at_most(&rig, "a", 19).await), Some(15));
    assert_eq!(nr(at_most(&rig, "a", 14).await), None);
}

#[tokio::test(start_paused = true)]
async fn an_entity_whose_events_and_snapshots_are_gone_is_corrupt_and_never_empty() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(5).with_snapshots_kept(1).with_events_deleted(true);
    let settings = with(snapshots);
    let engine = rig.start_accounts(settings.clone()).await;
    deposit(&engine, "a", 6).await;
    let _ = engine.shutdown().await;
    // it is read again, since retention may have been faster than the read
    for _ in 0..3 {
        rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Missing));
    }
    let engine = rig.start_accounts(settings).await;
    let error = account(&engine, "a").ask(Deposit(1)).await.unwrap_err();
    assert_is!(
        &error,
        AskError::Corrupt { what } if what.starts_with("account/a: events up to 5 were deleted")
    );
    assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn retention_that_fails_is_made_up_for_by_the_next_snapshot() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(5).with_snapshots_kept(1).with_events_deleted(true);
    let engine = rig.start_accounts(with(snapshots)).await;
    rig.faults.next(Operation::DeleteSnapshots, Fault::unavailable());
    rig.faults.next(Operation::DeleteEvents, Fault::unavailable());
    deposit(&engine, "a", 10).await;
    assert_eq!(rig.events("a").await.len(), 10);
    deposit(&engine, "a", 6).await;
    assert_eq!(first_event(&rig, 15).await, Some(16));
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 16);
}
