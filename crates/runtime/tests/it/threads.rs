//! In real time and on several threads: here the interleavings are not a test's to choose.

use crate::{
    account::{Account, Balance, Deposit},
    rig::{Rig, account, assert_is},
};
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{Batching, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::Operation;
use std::time::Duration;
use tokio::{task::JoinHandle, time::timeout};

/// Deposits 1 so many times into each of 20 accounts until the engine refuses; says how many were acknowledged, and how
/// many may have been stored beyond that.
fn depositor(engine: &Runtime, times: u64) -> JoinHandle<(u64, u64)> {
    let engine = engine.clone();
    tokio::spawn(async move {
        let (mut acknowledged, mut unsure) = (0, 0);
        for n in 0..times {
            let a = account(&engine, &(n % 20).to_string());
            match a.ask(Deposit(1)).await {
                Ok(_) => acknowledged += 1,
                Err(AskError::Unavailable { .. }) => {}
                Err(
                    AskError::OutcomeUnknown { .. } | AskError::Timeout { maybe_applied: true },
                ) => {
                    unsure += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        (acknowledged, unsure)
    })
}

/// Waits for something that must come.
async fn soon(comes: impl Future<Output = ()>) {
    timeout(Duration::from_secs(60), comes).await.expect("it comes");
}

/// Waits until so many appends were sent.
async fn appends(rig: &Rig, count: u64) {
    while rig.faults.calls(Operation::Append) < count {
        tokio::task::yield_now().await;
    }
}

async fn stored(rig: &Rig) -> u64 {
    let mut stored = 0;
    for n in 0..20 {
        let events = rig.stored("account", &n.to_string()).await;
        assert!((1..).zip(&events).all(|(nr, event)| event.sequence_nr.get() == nr));
        stored += events.len() as u64;
    }
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_gather_correctly_on_many_threads() {
    let rig = Rig::new();
    let batching =
        Batching::default().with_threshold(7).with_flush_window(Duration::from_millis(1));
    let settings = EntitySettings::default().with_batching(batching);
    let fast = Registration::event_sourced::<Account>((), settings);
    let engine = rig.start_with(vec![fast], RuntimeSettings::default()).await;
    let clients: Vec<_> = (0..8u64)
        .map(|client| {
            let engine = engine.clone();
            tokio::spawn(async move {
                for n in 0..100u64 {
                    let a = account(&engine, &((client + n) % 5).to_string());
                    let id = format!("{client}-{n}");
                    let balance = a.ask(Deposit(1)).command_id(&id).await.unwrap();
                    // a retry while others go on, and a look that must not be behind it
                    assert_eq!(a.ask(Deposit(1)).command_id(&id).await.unwrap(), balance);
                    assert!(a.ask(Balance).await.unwrap() >= balance);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    for n in 0..5 {
        let stored = rig.stored("account", &n.to_string()).await;
        assert_eq!(stored.len(), 160);
        assert!((1..).zip(&stored).all(|(nr, event)| event.sequence_nr.get() == nr));
        assert_eq!(account(&engine, &n.to_string()).ask(Balance).await.unwrap(), 160);
    }
    let counts = rig.faults.counts();
    assert!(rig.faults.calls(Operation::Append) < counts.events, "nothing gathered");
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_come_and_go_on_many_threads_and_forget_nothing() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(7).with_snapshot_on_passivation(true);
    let settings = EntitySettings::default()
        .with_idle_timeout(Some(Duration::from_millis(1)))
        .with_snapshots(snapshots.with_events_deleted(true));
    let kind = Registration::event_sourced::<Account>((), settings);
    let engine = rig.start_with(vec![kind], RuntimeSettings::default().with_entities_max(3)).await;
    let depositors: Vec<_> = (0..8).map(|_| depositor(&engine, 200)).collect();
    for depositor in depositors {
        assert_eq!(depositor.await.unwrap(), (200, 0));
    }
    let mut sum = 0;
    for n in 0..20 {
        sum += account(&engine, &n.to_string()).ask(Balance).await.unwrap();
    }
    assert_eq!(sum, 8 * 200);
    assert!(rig.faults.counts().entities_read > 100, "no one has left");
    let report = engine.shutdown().await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shutdown_under_load_stores_exactly_what_was_acknowledged() {
    for _ in 0..5 {
        let rig = Rig::new();
        let engine = rig.start().await;
        let depositors: Vec<_> = (0..8).map(|_| depositor(&engine, 500)).collect();
        soon(appends(&rig, 30)).await;
        let report = engine.shutdown().await;
        assert!(report.is_clean(), "{report:?}");
        let mut acknowledged = 0;
        for depositor in depositors {
            let (acked, unsure) = depositor.await.unwrap();
            assert_eq!(unsure, 0, "a clean shutdown leaves no one unsure");
            acknowledged += acked;
        }
        assert_eq!(stored(&rig).await, acknowledged);
        assert_eq!((engine.usage().commands, engine.usage().entities), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fence_under_load_loses_nothing_that_was_acknowledged() {
    for _ in 0..5 {
        let rig = Rig::new();
        let engine = rig.start().await;
        let depositors: Vec<_> = (0..8).map(|_| depositor(&engine, 500)).collect();
        soon(appends(&rig, 30)).await;
        use actum_persistence::store::WriterStore;
        rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
        let (mut acknowledged, mut unsure) = (0, 0);
        for depositor in depositors {
            let (acked, maybe) = depositor.await.unwrap();
            acknowledged += acked;
            unsure += maybe;
        }
        let stored = stored(&rig).await;
        assert!((acknowledged..=acknowledged + unsure).contains(&stored), "{stored} stored");
        // the last of them may have been served before it was revoked
        let fenced = async {
            while !engine.is_fenced() {
                let _ = account(&engine, "0").ask(Deposit(1)).await;
            }
        };
        soon(fenced).await;
        assert_is!(account(&engine, "0").ask(Balance).await, Err(AskError::Unavailable { .. }));
    }
}
