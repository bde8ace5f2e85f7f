//! A store whose files are gone: the engine serves nothing any more, and says what has happened.

use crate::{
    account::{Balance, Deposit},
    rig::{Rig, account, accounts, all_wait, assert_is, send},
};
use actum_persistence::store::StoreError;
use actum_runtime::{AskError, HealthState, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};
use std::{error::Error, time::Duration};
use tokio::time::{sleep, timeout};

const LEASE: Duration = Duration::from_secs(9);

fn settings() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE)
}

fn lost() -> StoreError {
    StoreError::lost("`bank.db` was removed")
}

fn assert_lost<X: Error + 'static>(error: &AskError<X>) {
    assert_is!(error, AskError::Unavailable { .. });
    let source = error.source().map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("the store is lost: `bank.db` was removed"), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_writes_to_a_lost_store_ends() {
    for operation in Operation::WRITES {
        let rig = Rig::new();
        let kinds = vec![accounts(), crate::note::notes()];
        let engine = rig.start_with(kinds, settings()).await;
        let (a, n) = (account(&engine, "a"), crate::note::note(&engine, "n"));
        a.ask(Deposit(1)).await.unwrap();
        assert!(timeout(LEASE, engine.lost()).await.is_err(), "it is not lost yet");
        rig.faults.next(operation, Fault::fail(lost()));
        let (one, two) = (send(a.ask(Deposit(1))), send(n.ask(crate::note::Write("x".into()))));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert!(one.is_err() || two.is_err());
        all_wait().await;
        assert_eq!(engine.lost().await.to_string(), lost().to_string());
        let health = engine.health();
        assert_eq!(health.state, HealthState::Failed);
        let why = "the engine has failed: the store is lost: `bank.db` was removed";
        assert!(health.reasons.iter().any(|reason| reason == why), "{:?}", health.reasons);
        assert_lost(&a.ask(Balance).await.unwrap_err());
        assert_lost(&n.state().await.unwrap_err());
        assert!(!engine.is_fenced());
    }
}

#[tokio::test(start_paused = true)]
async fn callers_who_wait_when_the_store_is_lost_get_the_same_cause_as_those_who_come_later() {
    let rig = Rig::of_one_partition();
    let engine = rig.start_set(settings()).await;
    let (recovering, read) = (account(&engine, "b"), rig.hold_next(Operation::Recover));
    let waiting = send(recovering.ask(Balance).timeout(2 * LEASE));
    read.held(1).await;
    rig.faults.next(Operation::Append, Fault::fail(lost()));
    let _ = account(&engine, "a").ask(Deposit(1)).await;
    engine.lost().await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_lost(&error);
    assert!(!error.is_transient(), "a person must look");
    assert_lost(&recovering.ask(Balance).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_outcome_is_unknown_since_the_store_is_lost_is_not_asked_for_again() {
    let rig = Rig::new();
    let engine = rig.start_set(settings()).await;
    let a = account(&engine, "a");
    rig.faults.next(Operation::Append, Fault::fail(StoreError::outcome_unknown("appending", "x")));
    rig.faults.next(Operation::Resolve, Fault::fail(lost()));
    assert_is!(a.ask(Deposit(1)).await, Err(AskError::OutcomeUnknown { .. }));
    engine.lost().await;
    assert_lost(&a.ask(Balance).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_only_renews_its_lease_notices_that_its_store_is_lost() {
    let rig = Rig::new();
    let engine = rig.start_set(settings()).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    rig.faults.next(Operation::Renew, Fault::fail(lost()));
    sleep(LEASE / 3 + Duration::from_millis(1)).await;
    engine.lost().await;
    assert_lost(&a.ask(Balance).await.unwrap_err());
}
