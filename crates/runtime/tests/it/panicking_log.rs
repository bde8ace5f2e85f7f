//! A subscriber of `tracing` that panics stops no part of the engine: each goes on, is started again, or the engine fails
//! visibly. In real time, since it is about threads too.

use crate::{
    account::{Account, Balance, Deposit},
    bomb::{Bomb, Trigger, on_both_runtimes},
    fragile::{Actions, At, Dawdle, Fail, Grenade, fragile, registered},
    rig::{Rig, account, accounts, assert_is, send},
};
use actum_persistence::store::{StoreError, WriterStore};
use actum_runtime::{
    AskError, HealthState, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Fault, Operation};
use std::{future::IntoFuture, time::Duration};
use tokio::time::sleep;
use tracing::Level;

const ANY: Trigger = Trigger::Level(Level::WARN);

/// For the one about the lease only: on a busy machine it may end before it is renewed.
fn short_lease() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(Duration::from_millis(300))
}

async fn start(rig: &Rig) -> Runtime {
    start_with(rig, RuntimeSettings::default()).await
}

async fn start_with(rig: &Rig, settings: RuntimeSettings) -> Runtime {
    let settings = settings
        .with_slow_handler_after(Duration::from_millis(5))
        .with_ask_timeout(Duration::from_secs(20));
    let snapshots = SnapshotSettings::every(1);
    let accounts = Registration::event_sourced::<Account>(
        (),
        EntitySettings::default().with_snapshots(snapshots),
    );
    rig.start_with(vec![accounts, registered(&Actions::default())], settings).await
}

/// Waits for something that must come.
async fn comes(condition: impl Fn() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Everything works, once nothing panics any more.
async fn assert_works(bomb: &Bomb, engine: &Runtime) {
    bomb.disarm();
    for id in ["works", "as", "well"] {
        let balance = account(engine, id).ask(Balance).await.unwrap();
        assert_eq!(account(engine, id).ask(Deposit(1)).await.unwrap(), balance + 1);
    }
    assert_ne!(engine.health().state, HealthState::Failed);
    let report = engine.shutdown().await;
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn naming_a_slow_handler() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::of_one_partition();
        let engine = start(&rig).await;
        bomb.arm(ANY);
        let slow = fragile(&engine, "f").ask(Dawdle(Duration::from_millis(50)));
        assert_eq!(slow.await.unwrap().total, 0, "its partition goes on");
        assert!(bomb.exploded() > 0);
        assert_works(&bomb, &engine).await;
    });
}

#[test]
fn starting_a_partition_again() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::of_one_partition();
        let engine = start(&rig).await;
        bomb.arm(Trigger::Level(Level::INFO));
        for _ in 0..3 {
            let failed = fragile(&engine, "f").ask(Grenade).await;
            assert_is!(failed, Err(AskError::OutcomeUnknown { .. }));
            account(&engine, "a").ask(Deposit(1)).await.unwrap();
        }
        assert!(bomb.exploded() >= 3);
        assert_works(&bomb, &engine).await;
    });
}

#[test]
fn the_turn_of_a_partition() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::of_one_partition();
        let engine = start(&rig).await;
        bomb.arm(Trigger::Message("entity recovered"));
        let failed = account(&engine, "a").ask(Deposit(1)).await;
        assert_is!(failed, Err(AskError::Unavailable { .. } | AskError::OutcomeUnknown { .. }));
        assert_works(&bomb, &engine).await;
    });
}

#[test]
fn a_partition_that_cannot_be_started_again_fails_the_engine_and_no_caller_waits() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::of_one_partition();
        let engine = start(&rig).await;
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
        let append = rig.hold_next(Operation::Append);
        let waiting = send(account(&engine, "a").ask(Deposit(1)));
        append.held(1).await;
        bomb.arm(Trigger::Span("Actor")); // ractor's own, in the task of the supervisor
        fragile(&engine, "f").ask(Grenade).await.unwrap_err();
        assert_is!(waiting.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
        append.open(); // before that it is not started again
        comes(|| engine.health().state == HealthState::Failed).await;
        let why = "the engine has failed: the supervisor of its partitions has ended";
        assert_eq!(engine.health().reasons[0], why);
        let refused = account(&engine, "b").ask(Balance).await.unwrap_err();
        assert_is!(&refused, AskError::Unavailable { .. });
        assert!(refused.to_string().contains("the engine has failed"), "{refused}");
        bomb.disarm();
        let report = engine.shutdown().await;
        assert!(report.released, "{report:?}");
    });
}

#[test]
fn renewing_the_lease() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::new();
        let engine = start_with(&rig, short_lease()).await;
        bomb.arm(Trigger::Level(Level::INFO));
        let away = StoreError::unavailable("renewing", "away");
        rig.faults.next_n(Operation::Renew, 5, Fault::fail(away));
        let renewals = rig.faults.calls(Operation::Renew);
        comes(|| rig.faults.calls(Operation::Renew) > renewals + 6).await;
        assert!(bomb.exploded() > 0);
        bomb.disarm();
        while account(&engine, "a").ask(Deposit(1)).await.is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn being_fenced() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::new();
        let engine = start(&rig).await;
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
        bomb.arm(Trigger::Level(Level::INFO));
        rig.memory.reopen().revoke(engine.incarnation()).await.unwrap();
        let refused = account(&engine, "a").ask(Deposit(1)).await;
        // unknown, if its partition fails with the log of it
        assert_is!(refused, Err(AskError::Unavailable { .. } | AskError::OutcomeUnknown { .. }));
        comes(|| engine.is_fenced()).await;
        assert_is!(account(&engine, "a").ask(Balance).await, Err(AskError::Unavailable { .. }));
        assert!(bomb.exploded() > 0);
    });
}

#[test]
fn reading_an_entity() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::new();
        let engine = start(&rig).await;
        bomb.arm(Trigger::Message("store panicked while reading"));
        let readers = 8; // more than there are
        rig.faults.next_n(Operation::Recover, readers, Fault::panic());
        for n in 0..readers {
            let failed = account(&engine, &n.to_string()).ask(Balance).await;
            assert_is!(failed, Err(AskError::Unavailable { .. }));
        }
        assert!(bomb.exploded() >= readers);
        assert_works(&bomb, &engine).await;
    });
}

#[test]
fn writing_to_a_lane() {
    for trigger in [ANY, Trigger::Span("commit"), Trigger::Span("resolve")] {
        on_both_runtimes(async |bomb| {
            let rig = Rig::of_one_partition();
            let engine = start(&rig).await;
            account(&engine, "a").ask(Deposit(1)).await.unwrap();
            bomb.arm(trigger);
            for n in 0..3 {
                rig.faults.next(Operation::Append, Fault::panic());
                rig.faults.next(Operation::Resolve, Fault::unavailable());
                let failed = account(&engine, &n.to_string()).ask(Deposit(1)).await;
                assert_is!(failed, Err(_));
            }
            assert!(bomb.exploded() > 0, "{trigger:?}");
            rig.faults.stop();
            assert_works(&bomb, &engine).await;
        });
    }
}

#[test]
fn saving_snapshots() {
    on_both_runtimes(async |bomb| {
        let rig = Rig::new();
        let engine = start(&rig).await;
        bomb.arm(ANY);
        for fault in [Fault::panic(), Fault::unavailable()] {
            let tried = rig.faults.calls(Operation::SaveSnapshots);
            rig.faults.next(Operation::SaveSnapshots, fault);
            account(&engine, "a").ask(Deposit(1)).await.unwrap();
            comes(|| rig.faults.calls(Operation::SaveSnapshots) > tried).await;
        }
        comes(|| bomb.exploded() > 0).await;
        bomb.disarm();
        let saved = rig.faults.counts().snapshots;
        account(&engine, "b").ask(Deposit(1)).await.unwrap();
        comes(|| rig.faults.counts().snapshots > saved).await;
    });
}

#[test]
fn telling_of_failures() {
    for trigger in [
        Trigger::Level(Level::DEBUG),
        Trigger::Message("command sent by `tell` failed"),
        Trigger::Message("after_commit panicked"),
    ] {
        on_both_runtimes(async |bomb| {
            let rig = Rig::of_one_partition();
            let engine = start(&rig).await;
            bomb.arm(trigger);
            fragile(&engine, "f").tell(Fail(At::Handle)).unwrap();
            fragile(&engine, "f").ask(Fail(At::AfterCommit)).into_future().await.ok();
            comes(|| bomb.exploded() > 0).await;
            assert_works(&bomb, &engine).await;
        });
    }
}

#[test]
fn starting_and_shutting_down() {
    on_both_runtimes(async |bomb| {
        bomb.arm(Trigger::Level(Level::INFO));
        let rig = Rig::new();
        let engine = rig.start_with(vec![accounts()], RuntimeSettings::default()).await;
        account(&engine, "a").ask(Deposit(1)).await.unwrap();
        rig.faults.next(Operation::Release, Fault::unavailable());
        let report = engine.shutdown().await;
        assert_eq!((report.unanswered, report.released, report.closed), (0, false, true));
        assert!(report.snapshots_saved && bomb.exploded() > 0);
        assert_eq!(report, engine.shutdown().await);
    });
}
