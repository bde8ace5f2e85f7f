//! What goes wrong behind the bank, and what a caller is answered about it.

use crate::service::{Reply, Service};
use actum::{MemoryStore, settings::RuntimeSettings};
use actum_testkit::{Damage, Fault, FaultStore, Faults, Operation};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// Longer than anybody tries to find out about an outcome.
const MINUTES: Duration = Duration::from_mins(10);
const DEPOSITS: &str = "/accounts/ada/deposits";

/// A bank with the account `ada`, and what can be made to go wrong behind it.
async fn faulty(settings: RuntimeSettings) -> (Arc<Service>, Faults) {
    let store = FaultStore::new(MemoryStore::new());
    let faults = store.faults();
    let service = Service::over(store, settings).await;
    service.open_ada().await;
    (Arc::new(service), faults)
}

async fn deposit(service: &Service, amount: u64, key: &str) -> Reply {
    service.post_with(DEPOSITS, &json!({ "amount": amount }), ("idempotency-key", key)).await
}

/// Deposits beside the test.
fn spawn_deposit(service: &Arc<Service>, amount: u64, key: &'static str) -> JoinHandle<Reply> {
    let service = Arc::clone(service);
    tokio::spawn(async move { deposit(&service, amount, key).await })
}

fn maybe_applied(document: &Value) -> bool {
    document["maybe_applied"].as_bool().unwrap()
}

#[tokio::test]
async fn bank_with_too_much_to_do_asks_to_come_back() {
    let (service, faults) = faulty(RuntimeSettings::default().with_commands_max(1)).await;
    let gate = faults.hold_next(Operation::Append, 1);
    let first = spawn_deposit(&service, 1, "first");
    gate.held(1).await;
    let detail = "too many commands wait in this engine";
    let refused = deposit(&service, 2, "second").await;
    assert!(!maybe_applied(&refused.problem(503, "overloaded", detail)));
    service.get("/accounts/ada").await.problem(503, "overloaded", detail);
    gate.open();
    assert_eq!(first.await.unwrap().json()["balance"], 101);
    assert_eq!(deposit(&service, 2, "second").await.json()["balance"], 103);
}

#[tokio::test(start_paused = true)]
async fn answer_that_does_not_come_in_time_says_whether_it_was_perhaps_done() {
    let (service, faults) = faulty(RuntimeSettings::default()).await;
    let gate = faults.hold_next(Operation::Append, 1);
    let document = deposit(&service, 5, "k").await.problem(504, "timeout", "may have been applied");
    assert!(maybe_applied(&document));
    let document = service.get("/accounts/ada").await.problem(504, "timeout", "was not applied");
    assert!(!maybe_applied(&document), "a read changes nothing");
    gate.open();
    assert_eq!(deposit(&service, 5, "k").await.json()["revision"], 3);
    assert_eq!(service.ada().await, (105, 3));
}

#[tokio::test]
async fn journal_that_is_away_makes_the_account_unavailable() {
    let (service, faults) = faulty(RuntimeSettings::default()).await;
    faults.next(Operation::Append, Fault::unavailable());
    let document = deposit(&service, 5, "k").await.problem(503, "unavailable", "the store is away");
    assert!(!maybe_applied(&document));
    faults.next(Operation::ReadEntities, Fault::unavailable());
    let reply = service.get("/accounts/ada/history").await;
    reply.problem(503, "unavailable", "the store is away");
    assert_eq!(service.ada().await, (100, 2));
    assert_eq!(deposit(&service, 5, "k").await.json()["balance"], 105);
}

#[tokio::test(start_paused = true)]
async fn change_of_unknown_outcome_can_be_sent_again_with_its_key() {
    for fault in [Fault::unknown_committed(), Fault::unknown_uncommitted()] {
        let (service, faults) = faulty(RuntimeSettings::default().with_ask_timeout(MINUTES)).await;
        faults.next(Operation::Append, fault);
        faults.always(Operation::Resolve, Fault::unavailable());
        let unknown = deposit(&service, 5, "k").await;
        let document = unknown.problem(500, "outcome-unknown", "the outcome is unknown");
        assert!(maybe_applied(&document));
        faults.stop();
        let done = deposit(&service, 5, "k").await.json();
        assert_eq!((&done["balance"], &done["revision"]), (&json!(105), &json!(3)));
        assert_eq!(service.ada().await, (105, 3));
    }
}

#[tokio::test]
async fn foreign_writer_of_the_journal_is_a_conflict() {
    let (service, faults) = faulty(RuntimeSettings::default()).await;
    faults.next(Operation::Append, Fault::foreign_writer());
    let detail = "another writer was faster, it left the entity at revision 3";
    let document = deposit(&service, 5, "k").await.problem(409, "conflict", detail);
    assert_eq!((&document["expected"], &document["actual"]), (&json!(2), &json!(3)));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let memory = MemoryStore::new();
    let service = Service::over(memory.reopen(), RuntimeSettings::default()).await;
    service.open_ada().await;
    service.stop().await;

    let store = FaultStore::new(memory.reopen());
    let faults = store.faults();
    let service = Service::over(store, RuntimeSettings::default()).await;
    for (damage, detail) in
        [(Damage::Manifest, "no-such-manifest"), (Damage::NewerSchema, "4294967295")]
    {
        faults.next(Operation::Recover, Fault::damaged_event(damage));
        service.get("/accounts/ada").await.problem(500, "corrupt", detail);
        faults.next(Operation::ReadEntities, Fault::damaged_event(damage));
        service.get("/accounts/ada/history").await.problem(500, "corrupt", detail);
    }
    assert_eq!(service.ada().await, (100, 2), "it is read again, and now it can be");
}
