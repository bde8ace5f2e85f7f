//! An observer sees what an engine does, each thing once, and what it counts adds up.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Withdraw},
    note::{Note, Write},
    rig::{Rig, account, all_wait},
};
use actum_model::{EntityKey, Lane, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::{Incarnation, Snapshot, StoreError},
};
use actum_runtime::{
    Failure, Registration,
    observe::{CommittedBatch, LeaveReason, Observer, Outcome, Recovery, SentWrite, TurnSummary},
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Fault, Operation};
use parking_lot::Mutex;
use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Notes everything that it sees, in short, except turns, which it counts.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<String>>,
    turns: AtomicUsize,
    commands_in_turns: AtomicUsize,
}

impl Notes {
    fn note(&self, what: impl Into<String>) {
        self.seen.lock().push(what.into());
    }

    fn take(&self) -> Vec<String> {
        mem::take(&mut *self.seen.lock())
    }

    fn count(&self, of: &str) -> usize {
        self.seen.lock().iter().filter(|seen| seen.starts_with(of)).count()
    }
}

fn name(lane: Option<Lane>) -> String {
    lane.map_or_else(|| "states".to_owned(), |lane| format!("lane {lane}"))
}

impl Observer for Notes {
    fn admitted(&self, kind: &'static str, command: &'static str) {
        self.note(format!("admitted {kind} {command}"));
    }

    fn refused(&self, kind: &'static str, command: &'static str, failure: &Failure) {
        self.note(format!("refused {kind} {command}: {failure}"));
    }

    fn turn_ended(&self, _: actum_model::Partition, turn: TurnSummary) {
        self.turns.fetch_add(1, Relaxed);
        self.commands_in_turns.fetch_add(turn.commands, Relaxed);
    }

    fn handled(&self, _: &'static str, command: &'static str, _: Duration) {
        self.note(format!("handled {command}"));
    }

    fn answered(&self, _: &'static str, command: &'static str, outcome: Outcome) {
        self.note(format!("answered {command} {}", outcome.label()));
    }

    fn activated(&self, entity: &EntityKey) {
        self.note(format!("activated {entity}"));
    }

    fn recovered(&self, entity: &EntityKey, recovery: Recovery) {
        let Recovery { sequence_nr, events, .. } = recovery;
        self.note(format!("recovered {entity} to {sequence_nr} by {events}"));
    }

    fn read_failed(&self, entity: &EntityKey, _: &StoreError) {
        self.note(format!("read failed {entity}"));
    }

    fn left(&self, entity: &EntityKey, reason: LeaveReason) {
        self.note(format!("left {entity} {reason:?}"));
    }

    fn write_sent(&self, entity: &EntityKey, write: SentWrite) {
        self.note(format!("sent {entity} {}..{}", write.expected, write.last));
    }

    fn write_settled(&self, entity: &EntityKey, result: &Result<Committed, CommitError>) {
        self.note(format!("settled {entity} {}", result.is_ok()));
    }

    fn snapshot_taken(&self, snapshot: &Snapshot) {
        self.note(format!("snapshot taken {}", snapshot.sequence_nr));
    }

    fn batch_committed(&self, lane: Option<Lane>, batch: CommittedBatch) {
        let CommittedBatch { writes, events, bytes, .. } = batch;
        assert!(bytes > 0);
        self.note(format!("committed {} {writes} of {events}", name(lane)));
    }

    fn outcome_unknown(&self, lane: Option<Lane>, writes: usize) {
        self.note(format!("unknown {} {writes}", name(lane)));
    }

    fn outcome_resolved(&self, lane: Option<Lane>, writes: usize, stored: usize) {
        self.note(format!("resolved {} {stored} of {writes}", name(lane)));
    }

    fn snapshot_saved(&self, entity: &EntityKey, sequence_nr: SequenceNr) {
        self.note(format!("saved {entity} {sequence_nr}"));
    }

    fn snapshot_failed(&self, entity: &EntityKey, sequence_nr: SequenceNr, error: &StoreError) {
        self.note(format!("not saved {entity} {sequence_nr}: {error}"));
    }

    fn fenced(&self, _: Incarnation) {
        self.note("fenced");
    }
}

fn observed(notes: &Arc<Notes>) -> RuntimeSettings {
    RuntimeSettings::default().with_observer(Arc::clone(notes) as Arc<dyn Observer>)
}

#[tokio::test(start_paused = true)]
async fn a_command_is_seen_from_its_inbox_to_its_answer() {
    let (rig, notes) = (Rig::new(), Arc::new(Notes::default()));
    let kinds = vec![
        crate::rig::accounts(),
        Registration::durable_state::<Note>((), EntitySettings::default()),
    ];
    let engine = rig.start_with(kinds, observed(&notes)).await;
    let a = account(&engine, "a");
    a.ask(DepositAll(vec![1, 2])).await.unwrap();
    all_wait().await;
    let seen = [
        "admitted account deposit-all",
        "activated account/a",
        "recovered account/a to 0 by 0",
        "handled deposit-all",
        "sent account/a 0..2",
        "committed lane 0 1 of 2",
        "settled account/a true",
        "answered deposit-all replied",
    ];
    assert_eq!(notes.take(), seen);
    a.ask(Withdraw(5)).await.unwrap_err();
    a.ask(Balance).await.unwrap();
    let seen = [
        "admitted account withdraw",
        "handled withdraw",
        "answered withdraw rejected",
        "admitted account balance",
        "handled balance",
        "answered balance replied",
    ];
    assert_eq!(notes.take(), seen);
    engine.entity::<Note>("n").ask(Write("text".into())).await.unwrap();
    let seen = notes.take();
    assert!(seen.contains(&"committed states 1 of 1".to_owned()), "{seen:?}");
    assert!(engine.shutdown().await.is_clean());
    let mut left = notes.take();
    left.sort();
    assert_eq!(left, ["left account/a Drained", "left note/n Drained"]);
    assert_eq!(notes.commands_in_turns.load(Relaxed), 4);
    assert!(notes.turns.load(Relaxed) >= 4);
    let error = a.ask(Balance).await.unwrap_err();
    assert_eq!(notes.take(), [format!("refused account balance: {error}")]);
}

#[tokio::test(start_paused = true)]
async fn outcomes_that_were_unknown_and_what_ends_an_engine_are_seen() {
    let (rig, notes) = (Rig::new(), Arc::new(Notes::default()));
    let engine = rig.start_set(observed(&notes)).await;
    let a = account(&engine, "a");
    a.ask(Deposit(1)).await.unwrap();
    notes.take();
    rig.faults.next(Operation::Append, Fault::unknown_committed());
    a.ask(Deposit(1)).await.unwrap();
    let mut batches = notes.take();
    batches.retain(|seen| seen.contains("lane"));
    assert_eq!(batches, ["unknown lane 0 1", "resolved lane 0 1 of 1"]);
    rig.faults.next(Operation::Append, Fault::unknown_uncommitted());
    a.ask(Deposit(1)).await.unwrap_err();
    let mut batches = notes.take();
    batches.retain(|seen| seen.contains("lane") || seen.contains("left"));
    let seen = ["unknown lane 0 1", "resolved lane 0 0 of 1", "left account/a AppendFailed"];
    assert_eq!(batches, seen);
    rig.faults.next(Operation::Append, Fault::revoked());
    a.ask(Deposit(1)).await.unwrap_err();
    all_wait().await;
    assert_eq!(notes.count("fenced"), 1);
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_seen_when_they_are_saved_and_when_they_are_not() {
    let (rig, notes) = (Rig::new(), Arc::new(Notes::default()));
    let settings = EntitySettings::<Account>::default().with_snapshots(SnapshotSettings::every(2));
    let kinds = vec![Registration::event_sourced((), settings)];
    let engine = rig.start_with(kinds, observed(&notes)).await;
    let a = account(&engine, "a");
    rig.faults.next(Operation::SaveSnapshots, Fault::unavailable());
    for _ in 0..2 {
        a.ask(DepositAll(vec![1, 2])).await.unwrap();
        all_wait().await;
    }
    let mut seen = notes.take();
    seen.retain(|seen| seen.contains("save") || seen.contains("taken"));
    assert_eq!(seen[0], "snapshot taken 2");
    assert!(seen[1].starts_with("not saved account/a 2: the store is unavailable"), "{seen:?}");
    assert_eq!(seen[2..], ["snapshot taken 4", "saved account/a 4"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_admitted_is_answered_and_what_is_committed_was_sent() {
    let (rig, notes) = (Rig::new(), Arc::new(Notes::default()));
    let settings = observed(&notes).with_commands_max(20);
    let engine = rig.start_set(settings).await;
    let mut asks = JoinSet::new();
    for n in 0..50 {
        let account = account(&engine, &(n % 7).to_string());
        asks.spawn(async move { account.ask(Deposit(1)).await.is_ok() });
    }
    let replied = asks.join_all().await.into_iter().filter(|replied| *replied).count();
    assert!(engine.shutdown().await.is_clean());
    assert!(replied > 0);
    assert_eq!(notes.count("admitted"), replied);
    assert_eq!(notes.count("refused"), 50 - replied);
    assert_eq!(notes.count("handled"), replied);
    assert_eq!(notes.count("answered deposit replied"), replied);
    assert_eq!(notes.commands_in_turns.load(Relaxed), replied);
    assert_eq!(notes.count("sent"), notes.count("settled"));
    let events: usize = {
        let seen = notes.seen.lock();
        let committed = seen.iter().filter(|seen| seen.starts_with("committed"));
        committed.map(|seen| seen.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    };
    assert_eq!(events, replied);
    assert_eq!(notes.count("activated"), notes.count("left"));
}
