//! The journal loses its newest events under a running engine, as when an asynchronous replica takes over: what was
//! acknowledged is gone, and no one is shown it any longer.

use crate::{
    account::{Account, Balance, Deposit, DepositAll},
    blocked::{Count, Stage, Touch, Touched},
    note::{Note, Read, Write},
    rig::{Rig, account, accounts, all_wait, key, send},
};
use actum_persistence::store::PageLimit;
use actum_runtime::{
    AppendOptions, EntityRef, Expected, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Fault, FaultStore, Operation};
use std::time::Duration;
use tokio::time::sleep;

const LEASE: Duration = Duration::from_secs(9);
const BETWEEN_CHECKS: Duration = Duration::from_secs(4);

fn leased() -> RuntimeSettings {
    RuntimeSettings::default().with_writer_lease(LEASE).with_ask_timeout(Duration::from_secs(3600))
}

fn notes() -> Registration {
    Registration::durable_state::<Note>((), EntitySettings::default())
}

fn kinds() -> Vec<Registration> {
    vec![accounts(), notes()]
}

async fn deposit(engine: &Runtime, id: &str, times: u64) {
    for _ in 0..times {
        account(engine, id).ask(Deposit(1)).await.unwrap();
    }
}

fn note(engine: &Runtime) -> EntityRef<Note> {
    engine.entity("n")
}

async fn balance(engine: &Runtime, id: &str) -> u64 {
    account(engine, id).ask(Balance).await.unwrap()
}

/// What a replica has of the same journal and of its writer, the `incarnation`th: the first three events of `a`, and the
/// first write of `n`.
async fn replica(incarnation: u64) -> Rig {
    let rig = Rig::of_one_partition();
    for _ in 1..incarnation {
        assert!(rig.start_with(kinds(), leased()).await.shutdown().await.is_clean());
    }
    let engine = rig.start_with(kinds(), leased()).await;
    deposit(&engine, "a", 3).await;
    note(&engine).ask(Write("one".to_owned())).await.unwrap();
    drop(engine); // not shut down: the slot is still that of this incarnation
    rig
}

/// An engine, and what its store can be replaced by.
struct Journal {
    rig: Rig,
    store: FaultStore,
}

impl Journal {
    fn new() -> Self {
        let rig = Rig::of_one_partition();
        let store = rig.store();
        Self { rig, store }
    }

    async fn start(&self, kinds: Vec<Registration>, settings: RuntimeSettings) -> Runtime {
        let stores = self.store.clone().into();
        let engine = Runtime::start("bank", Some(stores), kinds, settings).await.unwrap();
        deposit(&engine, "a", 5).await;
        engine
    }

    fn regress(&self, to: &Rig) {
        self.store.replace(to.memory.reopen());
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_is_only_read_shows_what_is_left_after_the_next_check() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    sleep(3 * LEASE + LEASE / 9).await; // between two checks
    journal.regress(&replica);
    assert_eq!(balance(&engine, "a").await, 5, "no one has looked yet");
    sleep(BETWEEN_CHECKS).await;
    assert_eq!(balance(&engine, "a").await, 3);
    deposit(&engine, "a", 4).await;
    assert_eq!(balance(&engine, "a").await, 7);
    sleep(3 * LEASE).await;
    let recoveries = journal.rig.faults.calls(Operation::Recover);
    assert_eq!(balance(&engine, "a").await, 7);
    assert_eq!(journal.rig.faults.calls(Operation::Recover), recoveries, "it is whole again");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_recovered_and_never_written_here_shows_what_is_left() {
    let (journal, replica) = (Journal::new(), replica(2).await);
    let engine = journal.start(kinds(), leased()).await;
    assert!(engine.shutdown().await.is_clean());
    drop(engine);
    let stores = journal.rig.store();
    let engine =
        Runtime::start("bank", Some(stores.clone().into()), kinds(), leased()).await.unwrap();
    assert_eq!(balance(&engine, "a").await, 5);
    stores.replace(replica.memory.reopen());
    sleep(BETWEEN_CHECKS).await;
    assert_eq!(balance(&engine, "a").await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_gets_a_position_again_shows_it_at_once() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    journal.regress(&replica);
    deposit(&engine, "b", 1).await; // at 4
    assert_eq!(balance(&engine, "a").await, 3);
    assert_eq!(balance(&engine, "b").await, 1);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_no_one_is_shown_what_was_lost_in_it() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    let faults = &journal.rig.faults;
    faults.always(Operation::Renew, Fault::unavailable());
    faults.always(Operation::Heads, Fault::unavailable());
    sleep(2 * LEASE).await;
    journal.regress(&replica);
    faults.always(Operation::Renew, Fault::none());
    for _ in 0..100 {
        sleep(LEASE / 30).await;
        account(&engine, "a").ask(Balance).await.expect_err("it has not looked yet");
    }
    faults.stop();
    let shown = loop {
        match account(&engine, "a").ask(Balance).await {
            Ok(balance) => break balance,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    };
    assert_eq!(shown, 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_under_way_from_a_lost_state_fails_and_the_next_command_sees_what_is_left() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    let gate = journal.rig.hold_next(Operation::Append);
    let write = send(account(&engine, "a").ask(Deposit(1)));
    gate.held(1).await;
    journal.regress(&replica);
    sleep(BETWEEN_CHECKS).await; // it leaves when its append is settled
    let read = send(account(&engine, "a").ask(Balance));
    all_wait().await;
    gate.open();
    let error = write.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("conflict"), "{error}");
    assert_eq!(read.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_under_way_begins_again() {
    let (journal, replica) = (Journal::new(), replica(2).await);
    let page = PageLimit::default().with_events(2.try_into().unwrap());
    let engine = journal.start(kinds(), leased()).await;
    assert!(engine.shutdown().await.is_clean());
    drop(engine);
    let stores = journal.rig.store();
    let settings = leased().with_page(page);
    let engine =
        Runtime::start("bank", Some(stores.clone().into()), kinds(), settings).await.unwrap();
    let gate = journal.rig.hold_next(Operation::ReadEntities);
    let read = send(account(&engine, "a").ask(Balance));
    gate.held(1).await; // the first page is taken in
    stores.replace(replica.memory.reopen());
    sleep(BETWEEN_CHECKS).await;
    gate.open();
    assert_eq!(read.await.unwrap().unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn no_snapshot_is_taken_of_what_was_lost() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let policy = SnapshotSettings::<Account>::every(1_000).with_snapshot_on_passivation(true);
    let settings = EntitySettings::default().with_snapshots(policy);
    let kinds = vec![Registration::event_sourced::<Account>((), settings), notes()];
    let engine = journal.start(kinds, leased()).await;
    journal.regress(&replica);
    sleep(BETWEEN_CHECKS).await;
    assert_eq!(engine.usage().entities, 0, "it has left");
    assert_eq!(journal.rig.faults.calls(Operation::SaveSnapshots), 0);
    assert_eq!(balance(&engine, "a").await, 3);
    assert!(engine.shutdown().await.is_clean());
    assert_eq!(journal.rig.faults.calls(Operation::SaveSnapshots), 1, "of what is left");
}

#[tokio::test(start_paused = true)]
async fn durable_states_that_were_lost_are_not_shown_either() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    note(&engine).ask(Write("one".to_owned())).await.unwrap();
    note(&engine).ask(Write("two".to_owned())).await.unwrap();
    sleep(LEASE).await;
    journal.regress(&replica);
    sleep(BETWEEN_CHECKS).await;
    assert_eq!(note(&engine).ask(Read).await.unwrap(), "one");
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_whole_takes_no_entity_out_of_memory() {
    let rig = Rig::new();
    let engine = rig.start_with(kinds(), leased()).await;
    deposit(&engine, "a", 5).await;
    let recoveries = rig.faults.calls(Operation::Recover);
    for n in 1..=50 {
        account(&engine, "a").ask(DepositAll(vec![1; 3])).await.unwrap();
        sleep(LEASE / 10).await;
        assert_eq!(balance(&engine, "a").await, 5 + 3 * n);
    }
    assert_eq!(rig.faults.calls(Operation::Recover), recoveries);
}

#[tokio::test(start_paused = true)]
async fn durable_states_that_were_lost_are_not_shown_when_as_much_was_written_since() {
    let (journal, replica) = (Journal::new(), replica(1).await);
    let engine = journal.start(kinds(), leased()).await;
    note(&engine).ask(Write("one".to_owned())).await.unwrap();
    note(&engine).ask(Write("two".to_owned())).await.unwrap();
    sleep(LEASE).await;
    journal.regress(&replica);
    let other: EntityRef<Note> = engine.entity("m");
    other.ask(Write("two writes, as there were".to_owned())).await.unwrap();
    sleep(BETWEEN_CHECKS).await;
    assert_eq!(note(&engine).ask(Read).await.unwrap(), "one");
}

#[tokio::test]
async fn a_command_that_comes_after_a_loss_was_found_is_not_answered_from_it_behind_a_handler() {
    let stage = Stage::of_threads(3).await;
    let touch = async |stage: &Stage, times: u64| {
        for nr in 1..=times {
            assert_eq!(stage.entity("a").ask(Touch).await.unwrap(), nr);
        }
    };
    touch(&stage, 5).await;
    let replica = Stage::of_threads(1).await;
    touch(&replica, 3).await;
    stage.block(0);
    stage.store.replace(replica.rig.memory.reopen());
    // a stream gets a position again, while the partition is busy
    let ledger = stage.engine.stream_writer(Ok(key("ledger", "l")));
    let booked = ledger.append(Expected::Any, &[Touched], &AppendOptions::default()).await;
    booked.expect("nothing is known of the stream");
    let count = send(stage.entity("a").ask(Count));
    stage.latches.open(0);
    assert_eq!(count.await.unwrap().unwrap(), 3);
}
