//! What an engine says about itself: one span a command, life cycles at their levels, and never a payload.

use crate::{
    account::{Account, AccountEvent, Balance, Deposit, Leave, Withdraw},
    fragile::{Actions, At, Dawdle, Delay, Fail, fragile, registered},
    listener::{Listener, Said},
    note::{Add, Erase, Read, Write, note, notes},
    rig::{Rig, account, accounts, all_wait, assert_is, send},
};
use actum_model::{Metadata, Revision, StoredPayload};
use actum_persistence::{codec::Json, serializer::SizeLimits};
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use bytes::Bytes;
use std::time::Duration;
use tracing::{Instrument, Level};

const SECRET: &str = "hunter2";

/// What the spans of commands say: kind, command, entity, outcome.
fn commands(listener: &Listener) -> Vec<[String; 4]> {
    let text = |said: &Said, field| said.field(field).unwrap_or("-").to_owned();
    let fields = ["kind", "command", "entity", "outcome"];
    listener.spans("command").iter().map(|said| fields.map(|field| text(said, field))).collect()
}

#[tokio::test(start_paused = true)]
async fn each_command_has_one_span_that_says_what_became_of_it() {
    let (listener, _guard) = Listener::listen(Level::TRACE);
    let rig = Rig::new();
    let kinds = vec![accounts(), notes(), registered(&Actions::default())];
    let settings = RuntimeSettings::default()
        .with_size_limits(SizeLimits::default().with_metadata_bytes_max(20));
    let engine = rig.start_with(kinds, settings).await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).command_id("c").await.unwrap();
    a.ask(Deposit(5)).command_id("c").await.unwrap();
    a.ask(Withdraw(7)).await.unwrap_err();
    a.ask(Balance).expect_revision(Revision::new(7)).await.unwrap_err();
    a.ask(Balance).timeout(Duration::ZERO).await.unwrap_err();
    a.ask(Deposit(1))
        .metadata(Metadata::new().with_causation_id("x".repeat(30)))
        .await
        .unwrap_err();
    a.state().await.unwrap();
    a.tell(Deposit(1)).unwrap();
    all_wait().await;
    rig.faults.next(Operation::Append, Fault::unavailable());
    a.ask(Deposit(1)).await.unwrap_err();
    rig.faults.next(Operation::Recover, Fault::damaged_event(Damage::Bytes));
    a.ask(Balance).await.unwrap_err();
    note(&engine, "n").ask(Read).await.unwrap();
    fragile(&engine, "f").ask(Fail(At::Handle)).await.unwrap_err();
    let span = |kind, command, entity, outcome| {
        [kind, command, entity, outcome].map(|text: &str| text.to_owned())
    };
    let of_a = |command, outcome| span("account", command, "a", outcome);
    assert_eq!(
        commands(&listener),
        [
            of_a("deposit", "replied"),
            of_a("deposit", "replied"),
            of_a("withdraw", "rejected"),
            of_a("balance", "revision_mismatch"),
            of_a("balance", "timeout"),
            of_a("deposit", "invalid"),
            of_a("state", "replied"),
            of_a("deposit", "replied"),
            of_a("deposit", "unavailable"),
            of_a("balance", "corrupt"),
            span("note", "read", "n", "replied"),
            span("fragile", "fail", "f", "panicked"),
        ]
    );
    let spans = listener.spans("command");
    assert!(spans.iter().all(|span| (span.level, span.target) == (Level::TRACE, "actum::command")));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_taken_has_its_span_too() {
    let (listener, _guard) = Listener::listen(Level::TRACE);
    let rig = Rig::new();
    let engine = rig.start_set(RuntimeSettings::default().with_commands_max(1)).await;
    let gate = rig.hold_next(Operation::Append);
    let first = send(account(&engine, "a").ask(Deposit(1)));
    gate.held(1).await;
    account(&engine, "b").ask(Deposit(1)).await.unwrap_err();
    drop(engine);
    assert_is!(first.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
    let outcomes: Vec<_> = commands(&listener).into_iter().map(|[.., outcome]| outcome).collect();
    assert_eq!(outcomes, ["outcome_unknown", "overloaded"]);
}

#[tokio::test(start_paused = true)]
async fn the_span_of_a_command_hangs_in_its_callers_and_its_handler_runs_in_it() {
    let (listener, _guard) = Listener::listen(Level::TRACE);
    let rig = Rig::new();
    let kinds = vec![registered(&Actions::default())];
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    let asking = async { fragile(&engine, "f").ask(Dawdle(Duration::ZERO)).await.unwrap() };
    asking.instrument(tracing::info_span!("request")).await;
    assert_eq!(listener.spans("command")[0].within, Some("request"));
    assert_eq!(listener.saying("dawdling")[0].within, Some("command"));
}

/// What is said at a level and above while entities come, work and go.
async fn life(level: Level) -> (Listener, u64) {
    let (listener, _guard) = Listener::listen(level);
    let rig = Rig::new();
    let engine = rig.start().await;
    for n in 1..=100 {
        assert_eq!(account(&engine, "a").ask(Deposit(1)).await.unwrap(), n);
    }
    account(&engine, "a").ask(Leave(0)).await.unwrap();
    account(&engine, "a").tell(Deposit(1)).unwrap();
    assert!(engine.shutdown().await.is_clean());
    (listener, rig.faults.calls(Operation::Append))
}

fn messages(listener: &Listener) -> Vec<String> {
    let ours = |said: &Said| said.target.starts_with("actum");
    let events = listener.events();
    events.iter().filter(|said| ours(said)).map(|said| said.message().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn at_info_an_engine_says_when_it_starts_and_ends() {
    let (listener, _) = life(Level::INFO).await;
    let said = ["writer slot taken", "engine started", "engine shut down"];
    assert_eq!(messages(&listener), said);
    for said in listener.events() {
        assert_eq!((said.level, said.field("engine")), (Level::INFO, Some("bank")));
    }
    assert_eq!(commands(&listener).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn at_debug_entities_come_and_go_and_commands_are_not_heard() {
    let (listener, _) = life(Level::DEBUG).await;
    for message in ["entity recovered", "entity passivated"] {
        let said = listener.saying(message);
        assert_eq!(said.len(), 2, "{:?}", messages(&listener));
        for said in said {
            assert_eq!((said.level, said.field("entity")), (Level::DEBUG, Some("account/a")));
        }
    }
    assert_eq!(messages(&listener).len(), 7, "{:?}", messages(&listener));
    assert_eq!(commands(&listener).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn at_trace_commands_and_commits_are_heard() {
    let (listener, appends) = life(Level::TRACE).await;
    assert_eq!(commands(&listener).len(), 102);
    assert_eq!(listener.spans("commit").len() as u64, appends);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_engine_says_nothing_at_warn() {
    let (listener, _) = life(Level::WARN).await;
    assert_eq!(messages(&listener), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_degraded_is_a_warning_and_what_needs_a_person_is_an_error() {
    let (listener, _guard) = Listener::listen(Level::WARN);
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(1).with_events_deleted(true);
    let engine = rig.start_accounts(EntitySettings::default().with_snapshots(snapshots)).await;
    let a = account(&engine, "a");
    for (operation, message) in [
        (Operation::SaveSnapshots, "snapshots not saved"),
        (Operation::ListSnapshots, "old snapshots or events not deleted"),
        (Operation::Append, "append failed, entity leaves memory and recovers on the next command"),
        (Operation::Recover, "entity not recovered"),
        (Operation::Renew, "writer lease not renewed"),
    ] {
        rig.faults.next(operation, Fault::unavailable());
        let _ = a.ask(Deposit(1)).await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        let said = listener.saying(message);
        assert_eq!(said.len(), 1, "{message}: {:?}", messages(&listener));
        assert_eq!(said[0].level, Level::WARN, "{message}");
    }
    assert_eq!(messages(&listener).len(), 5, "{:?}", messages(&listener));
    rig.faults.next(Operation::Append, Fault::revoked());
    a.ask(Deposit(1)).await.unwrap_err();
    all_wait().await;
    let [said] = &listener.saying("fenced, another writer has taken over the journal")[..] else {
        panic!("{:?}", messages(&listener));
    };
    assert_eq!(said.level, Level::ERROR);
}

#[tokio::test(start_paused = true)]
async fn a_command_sent_by_tell_that_fails_is_logged_since_no_caller_waits_for_it() {
    let (listener, _guard) = Listener::listen(Level::DEBUG);
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.tell(Withdraw(1)).unwrap();
    all_wait().await;
    assert_eq!(listener.saying("command sent by `tell` was rejected")[0].level, Level::DEBUG);
    rig.faults.next(Operation::Append, Fault::unavailable());
    a.tell(Deposit(1)).unwrap();
    all_wait().await;
    assert_eq!(listener.saying("command sent by `tell` failed")[0].level, Level::WARN);
    a.tell(Deposit(1)).unwrap();
    assert_eq!(a.ask(Balance).await.unwrap(), 1);
    assert_eq!(
        listener
            .events()
            .iter()
            .filter(|said| said.message().starts_with("command sent by `tell`"))
            .count(),
        2
    );
}

/// Lets a secret go everywhere it can go.
async fn work_with_a_secret(rig: &Rig, engine: &Runtime) {
    let n = note(engine, "n");
    let headers = Metadata::new().with_header("authorization", SECRET);
    n.ask(Write(SECRET.into())).metadata(headers).await.unwrap();
    n.ask(Add(SECRET.into())).command_id("c").await.unwrap();
    n.ask(Add(SECRET.into())).command_id("c").await.unwrap();
    n.ask(Erase).command_id("c").await.unwrap_err();
    n.ask(Add(SECRET.into())).expect_revision(Revision::new(7)).await.unwrap_err();
    n.ask(Add(SECRET.into())).timeout(Duration::ZERO).await.unwrap_err();
    assert!(n.state().await.unwrap().text.contains(SECRET));
    n.ask(Write(SECRET.repeat(300_000))).await.unwrap_err(); // too large
    for fault in [Fault::unavailable(), Fault::unknown_committed(), Fault::foreign_writer()] {
        rig.faults.next(Operation::WriteStates, fault);
        let _ = n.ask(Add(SECRET.into())).await;
        n.tell(Add(SECRET.into())).unwrap();
        all_wait().await;
    }
    for damage in [Damage::Bytes, Damage::Manifest, Damage::Metadata] {
        rig.faults.next(Operation::WriteStates, Fault::unavailable());
        n.ask(Add(SECRET.into())).await.unwrap_err();
        rig.faults.next(Operation::LoadStates, Fault::damaged_state(damage));
        n.ask(Read).await.unwrap_err();
    }
    assert!(n.ask(Read).await.unwrap().contains(SECRET));
    rig.faults.next(Operation::WriteStates, Fault::revoked());
    n.ask(Add(SECRET.into())).await.unwrap_err();
    all_wait().await;
}

#[tokio::test(start_paused = true)]
async fn no_payload_is_ever_said() {
    let (listener, _guard) = Listener::listen(Level::TRACE);
    let rig = Rig::new();
    let engine = rig.start_with(vec![notes()], RuntimeSettings::default()).await;
    work_with_a_secret(&rig, &engine).await;
    let _ = engine.shutdown().await;
    let text = listener.text();
    assert!(text.contains("note/n"), "a subscriber listened");
    let line = text.lines().find(|line| line.contains(SECRET));
    assert_eq!(line, None);
    assert!(
        !format!("{engine:?} {:?}", note(&engine, "n").ask(Write(SECRET.into()))).contains(SECRET)
    );
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_cannot_be_read_is_not_quoted() {
    let (listener, _guard) = Listener::listen(Level::TRACE);
    let rig = Rig::new();
    let snapshots = SnapshotSettings::<Account>::every(1000);
    let settings = EntitySettings::default().with_snapshots(snapshots);
    let kinds = vec![Registration::event_sourced::<Account>((), settings)];
    let engine = rig.start_with(kinds, RuntimeSettings::default()).await;
    let a = account(&engine, "a");
    // decoders like to show what they did not expect
    let bytes = Bytes::from(format!("{{\"Deposited\":\"{SECRET}\"}}"));
    let event = StoredPayload::encode(&AccountEvent::Deposited(1)).unwrap();
    let event = StoredPayload { bytes, ..event };
    assert!(event.decode_as::<AccountEvent, Json>().is_err());
    rig.faults.next(Operation::Append, Fault::foreign_writer_of(event));
    a.ask(Deposit(1)).await.unwrap_err();
    assert_is!(a.ask(Balance).await, Err(AskError::Corrupt { .. }));
    a.tell(Deposit(1)).unwrap();
    all_wait().await;
    let levels: Vec<_> =
        listener.saying("entity not recovered").iter().map(|it| it.level).collect();
    assert_eq!(levels, [Level::WARN, Level::DEBUG]);
    let text = listener.text();
    assert_eq!(text.lines().find(|line| line.contains(SECRET)), None);
}

#[tokio::test(start_paused = true)]
async fn of_commands_that_waited_for_the_same_recovery_the_slow_one_is_named() {
    let (listener, _guard) = Listener::listen(Level::WARN);
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_slow_handler_after(Duration::from_millis(20));
    let engine = rig.start_with(vec![registered(&Actions::default())], settings).await;
    let a = fragile(&engine, "a");
    let gate = rig.hold_next(Operation::Recover);
    let waiting = [send(a.ask(Fail(At::Nowhere))), send(a.ask(Delay(Duration::from_millis(21))))];
    gate.held(1).await;
    all_wait().await;
    gate.open();
    for asking in waiting {
        asking.await.unwrap().unwrap();
    }
    let [warning] = &listener.events()[..] else { panic!("{}", listener.text()) };
    assert_eq!(warning.field("command"), Some("delay"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_one_warning_with_its_cause_and_a_count() {
    let (listener, _guard) = Listener::listen(Level::INFO);
    let rig = Rig::new();
    let engine = rig.start().await;
    let appends = "append failed, entity leaves memory and recovers on the next command";
    for n in 0..100 {
        rig.faults.next(Operation::Append, Fault::unavailable());
        let entity = format!("a{n}");
        account(&engine, &entity).ask(Deposit(1)).await.unwrap_err();
    }
    let told = listener.saying(appends);
    assert_eq!(told.len(), 1, "{:?}", messages(&listener));
    let cause = "unavailable: the store failed: the store is unavailable: scripted fault";
    assert!(told[0].field("error").unwrap().starts_with(cause), "{told:?}");

    tokio::time::sleep(Duration::from_secs(11)).await;
    rig.faults.next(Operation::Append, Fault::unavailable());
    account(&engine, "b").ask(Deposit(1)).await.unwrap_err();
    assert_eq!(listener.saying("appends keep failing")[0].field("failures"), Some("101"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    account(&engine, "b").ask(Deposit(1)).await.unwrap();
    assert_eq!(listener.saying("appends succeed again")[0].field("failures"), Some("101"));
    assert_eq!(messages(&listener).len(), 2 + 3, "{:?}", messages(&listener));
}

#[tokio::test(start_paused = true)]
async fn what_fails_again_and_again_without_a_caller_is_one_warning_and_a_count() {
    let (listener, _guard) = Listener::listen(Level::INFO);
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(1).with_events_deleted(true);
    let engine = rig.start_accounts(EntitySettings::default().with_snapshots(snapshots)).await;
    let tell = async |operation, id| {
        rig.faults.next(operation, Fault::unavailable());
        account(&engine, id).tell(Deposit(1)).unwrap();
        all_wait().await;
    };
    for (operation, once, keeps, again) in [
        (
            Operation::Append,
            "command sent by `tell` failed",
            "commands sent by `tell` keep failing",
            "commands sent by `tell` succeed again",
        ),
        (
            Operation::SaveSnapshots,
            "snapshots not saved",
            "saving snapshots keeps failing",
            "snapshots are saved again",
        ),
        (
            Operation::ListSnapshots,
            "old snapshots or events not deleted",
            "deleting old snapshots or events keeps failing",
            "old snapshots and events are deleted again",
        ),
    ] {
        for id in ["a", "b", "c", "a"] {
            tell(operation, id).await;
        }
        assert_eq!(listener.saying(once).len(), 1, "{:?}", messages(&listener));
        tokio::time::sleep(Duration::from_secs(11)).await;
        tell(operation, "b").await;
        assert_eq!(listener.saying(once).len(), 1, "{:?}", messages(&listener));
        assert_eq!(listener.saying(keeps)[0].field("failures"), Some("5"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        account(&engine, "d").tell(Deposit(1)).unwrap();
        all_wait().await;
        assert_eq!(listener.saying(again)[0].field("failures"), Some("5"));
    }
}
