//! An engine that is shut down refuses, drains, writes, closes, and says what it could not finish.

use crate::{
    account::{Account, Balance, Deposit},
    rig::{Rig, account, all_wait, assert_is, send},
};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::store::{Snapshot, SnapshotDeletion, SnapshotStore, StoreError, Stores};
use actum_runtime::{
    AskError, Registration, Runtime, ShutdownReport,
    settings::{Batching, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Fault, FaultStore, Operation};
use async_trait::async_trait;
use std::{future::IntoFuture, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);

fn shut_down(engine: &Runtime) -> JoinHandle<ShutdownReport> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.shutdown().await })
}

fn patient() -> RuntimeSettings {
    RuntimeSettings::default().with_ask_timeout(3600 * SECOND).with_shutdown_timeout(10 * SECOND)
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_is_finished_and_what_comes_later_is_refused() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let a = account(&engine, "a");
    let (append, reading) = (rig.hold_next(Operation::Append), Rig::hold_next);
    let sent = send(a.ask(Deposit(1)));
    append.held(1).await;
    let staged = send(a.ask(Deposit(1)));
    let query = send(a.ask(Balance));
    let reading = reading(&rig, Operation::Recover);
    let recovering = send(account(&engine, "b").ask(Deposit(5)));
    reading.held(1).await;
    // still in the inbox when the engine begins to shut down
    let told = account(&engine, "c").ask(Deposit(7)).into_future();
    let shutdown = shut_down(&engine);
    all_wait().await;
    assert!(!shutdown.is_finished());
    let error = a.ask(Deposit(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine is shutting down");
    let error = account(&engine, "new").tell(Deposit(1)).unwrap_err().0;
    assert_eq!(error.to_string(), "unavailable: the engine is shutting down");
    append.open();
    reading.open();
    assert_eq!(sent.await.unwrap().unwrap(), 1);
    assert_eq!(staged.await.unwrap().unwrap(), 2);
    assert_eq!(query.await.unwrap().unwrap(), 2);
    assert_eq!(recovering.await.unwrap().unwrap(), 5);
    assert_eq!(told.await.unwrap(), 7);
    let report = shutdown.await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((engine.usage().entities, engine.usage().commands), (0, 0));
    let error = a.ask(Deposit(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine has ended");
    assert_eq!((rig.events("a").await.len(), rig.events("new").await.len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_its_flush_window_is_written_at_once() {
    let rig = Rig::new();
    let settings = EntitySettings::default().with_batching(
        Batching::default().with_threshold(1000).with_flush_window(Duration::from_secs(60)),
    );
    let registration = Registration::event_sourced::<Account>((), settings);
    let engine = rig.start_with(vec![registration], patient()).await;
    let started = Instant::now();
    let waiting = send(account(&engine, "a").ask(Deposit(1)));
    all_wait().await;
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
    assert!(started.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn commands_sent_by_tell_are_finished_too() {
    let rig = Rig::new();
    let engine = rig.start().await;
    for n in 0..100 {
        account(&engine, &(n % 10).to_string()).tell(Deposit(1)).unwrap();
    }
    assert!(engine.shutdown().await.is_clean());
    for n in 0..10 {
        assert_eq!(rig.events(&n.to_string()).await.len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn last_snapshots_are_saved() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(1000).with_snapshot_on_passivation(true);
    let engine = rig.start_accounts(EntitySettings::default().with_snapshots(snapshots)).await;
    for n in 0..100 {
        account(&engine, &n.to_string()).ask(Deposit(1)).await.unwrap();
    }
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(rig.faults.counts().snapshots, 100);
    let key = crate::rig::key("account", "99");
    assert!(
        rig.memory
            .reopen()
            .load(&key, actum_model::SequenceNr::new(u64::MAX))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_finished_in_time_fails_and_is_reported() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let (a, b) = (account(&engine, "a"), account(&engine, "b"));
    a.ask(Deposit(1)).await.unwrap();
    let _append = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(1)));
    all_wait().await;
    let staged = send(a.ask(Deposit(1)));
    let query = send(a.ask(Balance));
    let _reading = rig.hold_next(Operation::Recover);
    let recovering = send(b.ask(Deposit(1)));
    all_wait().await;
    let started = Instant::now();
    let report = engine.shutdown().await;
    let took = started.elapsed();
    assert!((10 * SECOND..12 * SECOND).contains(&took), "{took:?}");
    assert!(!report.is_clean());
    assert_eq!((report.unanswered, report.unknown, report.released), (4, 1, true), "{report:?}");
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    assert_is!(staged.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(query.await.unwrap(), Err(AskError::Unavailable { .. }));
    let error = recovering.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unavailable: the engine was shut down before the command was answered"
    );
    // the next engine sees what was acknowledged
    let engine = rig.start().await;
    assert_eq!(account(&engine, "a").ask(Balance).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn snapshots_that_are_not_saved_in_time_are_reported() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(1);
    let settings = EntitySettings::default().with_snapshots(snapshots);
    let registration = Registration::event_sourced::<Account>((), settings);
    let engine = rig.start_with(vec![registration], patient()).await;
    let _saving = rig.hold_next(Operation::SaveSnapshots);
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    let report = engine.shutdown().await;
    assert_eq!((report.snapshots_saved, report.unanswered), (false, 0), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_not_given_back_is_reported_and_free_when_the_lease_ends() {
    let rig = Rig::new();
    let engine = rig.start().await;
    rig.faults.next(Operation::Release, Fault::fail(StoreError::unavailable("x", "away")));
    let report = engine.shutdown().await;
    assert!(!report.released && !report.is_clean());
    let since = Instant::now();
    rig.try_start("next", vec![crate::rig::accounts()], RuntimeSettings::default()).await.unwrap();
    assert!((9 * SECOND..11 * SECOND).contains(&since.elapsed()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_finds_nothing_to_do() {
    let rig = Rig::new();
    let engine = rig.start().await;
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    let both = (shut_down(&engine), shut_down(&engine));
    assert!(both.0.await.unwrap().is_clean());
    assert!(both.1.await.unwrap().is_clean());
    // it gives back nothing that is another's
    let next = rig.start().await;
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(account(&next, "a").ask(Deposit(1)).await.unwrap(), 2);
    assert_eq!(rig.faults.calls(Operation::Release), 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_shutdown_waits_for_the_first_and_reports_the_same() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let append = rig.hold_next(Operation::Append);
    let sent = send(account(&engine, "a").ask(Deposit(1)));
    append.held(1).await;
    let first = shut_down(&engine);
    all_wait().await;
    let second = shut_down(&engine);
    sleep(5 * SECOND).await;
    assert!(!first.is_finished() && !second.is_finished());
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    assert_eq!((first.unanswered, first.unknown), (1, 1), "{first:?}");
    assert_eq!(first, second);
    assert_eq!(first, engine.shutdown().await);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_whose_caller_goes_away_goes_on() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let append = rig.hold_next(Operation::Append);
    let sent = send(account(&engine, "a").ask(Deposit(1)));
    append.held(1).await;
    let first = shut_down(&engine);
    all_wait().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = shut_down(&engine);
    sleep(SECOND).await;
    assert!(!second.is_finished());
    append.open();
    assert!(second.await.unwrap().is_clean());
    assert_eq!(sent.await.unwrap().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_hangs_when_it_is_given_back_does_not_keep_the_engine() {
    for late in [false, true] {
        let rig = Rig::new();
        let engine = rig.start_set(patient()).await;
        let _release = rig.hold_next(Operation::Release);
        let append = rig.hold_next(Operation::Append);
        if late {
            let _ = account(&engine, "a").tell(Deposit(1));
            append.held(1).await;
        }
        let started = Instant::now();
        let report = engine.shutdown().await;
        let took = started.elapsed();
        assert!(took <= if late { 12 * SECOND } else { 10 * SECOND }, "{took:?}");
        assert!(!report.released && report.closed && !report.is_clean(), "{report:?}");
        assert_eq!(report.unknown, usize::from(late), "{report:?}");
        assert_eq!(report, engine.shutdown().await);
    }
}

/// Snapshots of a store that never closes.
struct NeverCloses(FaultStore);

#[async_trait]
impl SnapshotStore for NeverCloses {
    async fn save(&self, snapshots: &[Snapshot]) -> Result<(), StoreError> {
        self.0.save(snapshots).await
    }

    async fn load(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
    ) -> Result<Option<Snapshot>, StoreError> {
        SnapshotStore::load(&self.0, entity, at_most).await
    }

    async fn list(
        &self,
        entity: &EntityKey,
        at_most: SequenceNr,
        limit: NonZeroU32,
    ) -> Result<Vec<SequenceNr>, StoreError> {
        self.0.list(entity, at_most, limit).await
    }

    async fn prune_snapshots(&self, deletions: &[SnapshotDeletion]) -> Result<(), StoreError> {
        self.0.prune_snapshots(deletions).await
    }

    async fn close(&self) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_close_does_not_keep_the_engine() {
    let rig = Rig::new();
    let stores = Stores::of(rig.store()).with_snapshots(Arc::new(NeverCloses(rig.store())));
    let kinds = vec![crate::rig::accounts()];
    let engine = Runtime::start("bank", Some(stores), kinds, patient()).await.unwrap();
    account(&engine, "a").ask(Deposit(1)).await.unwrap();
    let started = Instant::now();
    let report = engine.shutdown().await;
    assert_eq!(started.elapsed(), 10 * SECOND);
    assert!(report.released && !report.closed && !report.is_clean(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_dropped_answers_all_callers_who_wait() {
    let rig = Rig::new();
    let engine = rig.start_set(patient()).await;
    let (a, b) = (account(&engine, "a"), account(&engine, "b"));
    a.ask(Deposit(1)).await.unwrap();
    let append = rig.hold_next(Operation::Append);
    let sent = send(a.ask(Deposit(1)));
    append.held(1).await;
    let query = send(a.ask(Balance));
    let reading = rig.hold_next(Operation::Recover);
    let recovering = send(b.ask(Deposit(1)));
    reading.held(1).await;
    let in_the_inbox = account(&engine, "c").ask(Deposit(1)).into_future();
    drop(engine);
    assert_is!(sent.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    for asking in [query, recovering] {
        // they changed nothing that was sent; but a partition that is gone cannot tell
        assert_is!(
            asking.await.unwrap(),
            Err(AskError::Unavailable { .. } | AskError::OutcomeUnknown { .. })
        );
    }
    assert_is!(in_the_inbox.await, Err(AskError::Unavailable { .. }));
    // references outlive their engine
    let error = a.ask(Deposit(1)).await.unwrap_err();
    assert_eq!(error.to_string(), "unavailable: the engine has ended");
    assert_is!(b.tell(Deposit(1)).unwrap_err().0, AskError::Unavailable { .. });
}

#[tokio::test(start_paused = true)]
async fn no_task_outlives_its_engine() {
    let rig = Rig::new();
    let alive = || Handle::current().metrics().num_alive_tasks();
    let before = alive();
    for n in 0..3 {
        let engine = rig.start().await;
        for id in 0..20 {
            account(&engine, &id.to_string()).ask(Deposit(1)).await.unwrap();
        }
        assert!(alive() > before);
        if n == 1 {
            drop(engine);
            sleep(11 * SECOND).await;
        } else {
            assert!(engine.shutdown().await.is_clean());
        }
        all_wait().await;
        assert_eq!(alive(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn the_stores_are_closed() {
    let rig = Rig::new();
    let stores = rig.store();
    let engine = Runtime::start(
        "bank",
        Some(stores.clone().into()),
        vec![crate::rig::accounts()],
        Default::default(),
    )
    .await
    .unwrap();
    assert!(engine.shutdown().await.is_clean());
    use actum_persistence::store::EventStore;
    assert_is!(stores.heads().await, Err(StoreError::Unavailable { .. }));
}

#[test]
fn an_engine_whose_tokio_runtime_is_gone_answers_that_it_is_unavailable() {
    let rig = Rig::new();
    let build = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let first = build();
    let engine = first.block_on(rig.start());
    first.block_on(async { account(&engine, "a").ask(Deposit(1)).await.unwrap() });
    drop(first);
    build().block_on(async {
        let asking = account(&engine, "a").ask(Balance).timeout(Duration::from_millis(50));
        let answer = tokio::time::timeout(Duration::from_secs(20), asking.into_future()).await;
        assert_is!(
            answer.expect("an answer comes"),
            Err(AskError::Unavailable { .. } | AskError::OutcomeUnknown { .. })
        );
    });
}
