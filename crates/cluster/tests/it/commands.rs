//! What goes to another node beside a plain command, and what comes back.

use crate::{
    account::{Account, Balance, Deposit, Deposited},
    kinds::{Fail, Note, Tally, Write},
    rig::{Rig, RunningNode},
};
use actum_model::{CommandId, EntityKey, Metadata, Revision, SequenceNr, TraceContext};
use actum_persistence::{
    serializer::Serializer,
    store::{EntityRead, EventStore, PageLimit, StoredEvent},
};
use actum_runtime::{AskError, EntityRef};
use actum_testkit::{Damage, Fault, Operation};
use std::time::Duration;

/// Two nodes, of which the first asks for entities that the second one owns.
async fn two() -> (Rig, RunningNode, RunningNode) {
    let rig = Rig::new();
    let mut nodes = rig.start_all(&["a", "b"]).await;
    let owner = nodes.pop().expect("two were started");
    let asking = nodes.pop().expect("two were started");
    (rig, asking, owner)
}

async fn stored(rig: &Rig, id: &str) -> Vec<StoredEvent> {
    let entity = EntityKey::new("account", id).expect("an id");
    let read = EntityRead { entity, after: SequenceNr::ZERO };
    let mut pages = rig
        .memory
        .reopen()
        .read_entities(&[read], PageLimit::default())
        .await
        .expect("they are read");
    pages.remove(0).events
}

fn accounts(asking: &RunningNode, owner: &RunningNode) -> EntityRef<Account> {
    asking.account(&owner.owned_id("account"))
}

#[tokio::test(start_paused = true)]
async fn a_command_told_to_another_node_is_applied_there() {
    let (_rig, asking, owner) = two().await;
    let account = accounts(&asking, &owner);
    account.tell(Deposit(5)).unwrap();
    assert_eq!(account.ask(Balance).await.unwrap(), 5);
    assert_eq!((asking.runtime.usage().entities, owner.runtime.usage().entities), (0, 1));
    assert_eq!(asking.runtime.usage().commands, 0, "nothing is left of it");
}

#[tokio::test(start_paused = true)]
async fn what_comes_with_a_command_goes_to_another_node_and_is_stored_there() {
    let (rig, asking, owner) = two().await;
    let trace =
        TraceContext::new("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    let metadata = Metadata::new()
        .with_command_id(CommandId::new("request-7").unwrap())
        .with_correlation_id("order-1")
        .with_trace(trace.with_tracestate("a=b"))
        .with_header("by", "Ada");
    let id = owner.owned_id("account");
    let account = asking.account(&id);
    let deposit = || account.ask(Deposit(5)).metadata(metadata.clone());
    let (balance, receipt) = deposit().with_receipt().await.unwrap();
    assert_eq!((balance, receipt.sequence_nr), (5, SequenceNr::new(1)));
    assert_eq!(account.ask(Deposit(1)).await.unwrap(), 6);
    let (balance, again) = deposit().with_receipt().await.unwrap();
    assert_eq!((balance, again.sequence_nr), (5, receipt.sequence_nr), "a retry");
    let stored = stored(&rig, &id).await;
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[0].position, receipt.position.unwrap());
    let (first, _) = Serializer::default().decode_metadata(&stored[0].metadata).unwrap();
    assert_eq!(first, metadata);
    assert_eq!(stored[1].decode_metadata().unwrap(), Metadata::new());
    assert_eq!(stored[0].payload.decode::<Deposited>().unwrap().0, 5);
}

#[tokio::test(start_paused = true)]
async fn the_handler_on_another_node_sees_the_trace_of_its_command() {
    let (_rig, asking, owner) = two().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let metadata = Metadata::new().with_trace(TraceContext::new(parent).unwrap());
    let note: EntityRef<Note> = asking.runtime.entity(owner.owned_id("note"));
    let seen = note.ask(Write("x".into())).metadata(metadata).await.unwrap();
    assert_eq!(seen.as_deref(), Some(parent));
}

#[tokio::test(start_paused = true)]
async fn states_are_read_from_other_nodes() {
    let (_rig, asking, owner) = two().await;
    let account = accounts(&asking, &owner);
    assert_eq!(account.state().await.unwrap(), Account { balance: 0 });
    account.ask(Deposit(5)).await.unwrap();
    assert_eq!(account.state().await.unwrap(), Account { balance: 5 });
    let note: EntityRef<Note> = asking.runtime.entity(owner.owned_id("note"));
    note.ask(Write("x".into())).await.unwrap();
    assert_eq!(note.state().await.unwrap(), Note { text: "x".into() });
    assert_eq!(asking.runtime.usage().entities, 0);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_no_one_encodes_is_an_error_that_says_so_where_it_is_elsewhere() {
    let (_rig, asking, owner) = two().await;
    let id = owner.owned_id("tally");
    let tally = |node: &RunningNode| node.runtime.entity::<Tally>(id.as_str());
    assert_eq!(tally(&owner).state().await.unwrap(), Tally);
    let error = tally(&asking).state().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: the state of `tally` cannot be read from another node: register the kind with \
         `EntitySettings::with_remote_state`, or with snapshots"
    );
}

#[tokio::test(start_paused = true)]
async fn a_state_elsewhere_shows_only_what_is_durable_and_its_read_ends_at_its_deadline() {
    let (_rig, asking, owner) = two().await;
    let account = accounts(&asking, &owner);
    account.ask(Deposit(1)).await.unwrap();
    let gate = actum_testkit::Gate::closed();
    owner.faults.next(Operation::Append, Fault::none().held_before(&gate));
    account.tell(Deposit(5)).unwrap();
    let late = account.state().timeout(Duration::from_millis(500)).await;
    assert!(matches!(late, Err(AskError::Timeout { .. })), "{late:?}");
    let reading = tokio::spawn(account.state().into_future());
    gate.open();
    assert_eq!(reading.await.unwrap().unwrap(), Account { balance: 6 });
}

#[tokio::test(start_paused = true)]
async fn a_state_is_not_shown_by_an_owner_whose_lease_has_lapsed() {
    let (rig, asking, owner) = two().await;
    let account = accounts(&asking, &owner);
    account.ask(Deposit(1)).await.unwrap();
    owner.lose_journal();
    asking.lose_journal();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let read = account.state().timeout(Duration::from_secs(1)).await;
    assert!(read.is_err(), "{read:?}");
    asking.faults.stop();
    owner.faults.stop();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let read = account.state().timeout(Duration::from_secs(5)).await;
    assert_eq!(read.unwrap(), Account { balance: 1 });
    drop(rig);
}

#[tokio::test(start_paused = true)]
async fn a_read_of_a_state_is_sent_again_when_its_link_has_ended() {
    let (rig, asking, owner) = two().await;
    let account = accounts(&asking, &owner);
    account.ask(Deposit(1)).await.unwrap();
    let gate = actum_testkit::Gate::closed();
    owner.faults.next(Operation::Append, Fault::none().held_before(&gate));
    account.tell(Deposit(5)).unwrap();
    let reading = tokio::spawn(account.state().timeout(Duration::from_secs(60)).into_future());
    tokio::task::yield_now().await;
    rig.network.isolate(owner.incarnation());
    tokio::time::sleep(Duration::from_secs(10)).await;
    rig.network.heal();
    gate.open();
    assert_eq!(reading.await.unwrap().unwrap(), Account { balance: 6 });
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_on_another_node_comes_back_as_what_it_was() {
    let (_rig, asking, owner) = two().await;
    let id = owner.owned_id("account");
    let account = asking.account(&id);
    account.ask(Deposit(1)).await.unwrap();
    let outdated = account.ask(Deposit(5)).expect_revision(Revision::new(4)).await.unwrap_err();
    assert!(
        matches!(outdated, AskError::RevisionMismatch { actual, .. } if actual == Revision::new(1)),
        "{outdated}"
    );
    let tally: EntityRef<Tally> = asking.runtime.entity(owner.owned_id("tally"));
    let error = tally.ask(Fail).await.unwrap_err();
    assert!(
        matches!(&error, AskError::Panicked { command: "fail", message } if message.contains("it cannot")),
        "{error}"
    );
    owner.faults.next(Operation::Append, Fault::foreign_writer());
    let error = account.ask(Deposit(5)).await.unwrap_err();
    assert!(matches!(error, AskError::Conflict { .. }), "{error}");
    owner.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    let error = account.ask(Deposit(5)).await.unwrap_err();
    let AskError::Corrupt { what } = &error else { panic!("{error}") };
    assert!(what.starts_with(&format!("account/{id}: event 1: ")), "{what}");
    let gate = actum_testkit::Gate::closed();
    owner.faults.next(Operation::Append, Fault::none().held_before(&gate));
    let late = account.ask(Deposit(5)).timeout(Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(late, AskError::Timeout { maybe_applied: true }), "{late}");
    gate.open();
    assert_eq!(account.ask(Balance).await.unwrap(), 11, "with what the other writer has stored");
}
