//! The user's code may panic: that command fails, and nothing else.

use crate::{
    fragile::{Actions, At, Dawdle, Delay, Fail, Fragile, Total, fragile, registered, start},
    listener::Listener,
    rig::{Rig, all_wait, assert_is, send},
};
use actum_runtime::{
    AskError, EntityRef, Registration,
    settings::{EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::Operation;
use std::{convert::Infallible, time::Duration};
use tracing::Level;

const PANICS: [(At, &str); 4] = [
    (At::Handle, "in handle"),
    (At::Apply, "in apply"),
    (At::Encode, "in encode"),
    (At::Reply, "in reply"),
];

fn total(answer: Result<Total, AskError<Infallible>>) -> u64 {
    answer.unwrap().total
}

async fn add(entity: &EntityRef<Fragile>) -> u64 {
    total(entity.ask(Fail(At::Nowhere)).await)
}

fn assert_panicked(answer: Result<Total, AskError<Infallible>>, said: &str) {
    let error = answer.unwrap_err();
    assert_is!(
        &error,
        AskError::Panicked { command: "fail", message } if message.contains(said)
    );
    assert!(error.to_string().starts_with("the handler of `fail` panicked: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_its_command_and_nothing_of_it_is_stored_or_seen() {
    for (at, said) in PANICS {
        let rig = Rig::of_one_partition();
        let (engine, actions) = start(&rig).await;
        let (a, b) = (fragile(&engine, "a"), fragile(&engine, "b"));
        assert_eq!((add(&a).await, add(&b).await), (1, 1));
        let reads = rig.faults.calls(Operation::Recover);
        assert_panicked(a.ask(Fail(at)).await, said);
        assert_eq!(add(&a).await, 2, "{at:?}");
        assert_eq!(add(&b).await, 2);
        assert_eq!(rig.stored("fragile", "a").await.len(), 2);
        assert_eq!(actions.count(), 4);
        // a state that was not touched stays
        let recovered = rig.faults.calls(Operation::Recover) - reads;
        assert_eq!(recovered, u64::from(matches!(at, At::Apply | At::Reply)), "{at:?}");
        assert_eq!(engine.usage().commands, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_leaves_what_is_pending_before_and_behind_it_alone() {
    for (at, said) in PANICS {
        let rig = Rig::of_one_partition();
        let (engine, _) = start(&rig).await;
        let a = fragile(&engine, "a");
        add(&a).await;
        let gate = rig.hold_next(Operation::Append);
        let sent = send(a.ask(Fail(At::Nowhere)));
        gate.held(1).await;
        let staged = send(a.ask(Fail(At::Nowhere)));
        let panics = send(a.ask(Fail(at)));
        let behind = send(a.ask(Fail(At::Nowhere)));
        let neighbour = send(fragile(&engine, "b").ask(Fail(At::Nowhere)));
        all_wait().await;
        gate.open();
        assert_eq!(total(sent.await.unwrap()), 2);
        assert_eq!(total(staged.await.unwrap()), 3);
        assert_panicked(panics.await.unwrap(), said);
        assert_eq!(total(behind.await.unwrap()), 4, "{at:?}");
        assert_eq!(total(neighbour.await.unwrap()), 1);
        assert_eq!(rig.stored("fragile", "a").await.len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn no_snapshot_is_taken_of_a_state_that_a_panic_has_left_behind() {
    let rig = Rig::new();
    let snapshots = SnapshotSettings::every(1000).with_snapshot_on_passivation(true);
    let settings = EntitySettings::default().with_snapshots(snapshots);
    let kind = Registration::event_sourced::<Fragile>(Actions::default(), settings);
    let engine = rig.start_with(vec![kind], RuntimeSettings::default()).await;
    let a = fragile(&engine, "a");
    add(&a).await;
    for (at, said) in PANICS {
        assert_panicked(a.ask(Fail(at)).await, said);
        all_wait().await;
        assert_eq!(rig.faults.counts().snapshots, 0, "{at:?}");
    }
    assert_eq!(add(&a).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_cannot_be_recorded_fails_its_command_and_is_not_stored() {
    let rig = Rig::new();
    let (engine, actions) = start(&rig).await;
    let a = fragile(&engine, "a");
    assert_eq!(total(a.ask(Fail(At::RecordReply)).await), 1, "without an id none is recorded");
    for _ in 0..2 {
        let asked = a.ask(Fail(At::RecordReply)).command_id("c").await;
        assert_panicked(asked, "in recording the reply");
    }
    assert_eq!(add(&a).await, 2);
    assert_eq!((rig.stored("fragile", "a").await.len(), actions.count()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_event_without_an_encoding_is_invalid_and_takes_the_others_of_its_command_along() {
    let rig = Rig::new();
    let (engine, actions) = start(&rig).await;
    let a = fragile(&engine, "a");
    let error = a.ask(Fail(At::Unencodable)).await.unwrap_err();
    assert_eq!(error.to_string(), "invalid: `added` cannot be encoded: has no encoding");
    assert_eq!((add(&a).await, actions.count()), (1, 1));
    assert_eq!(rig.stored("fragile", "a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_action_after_a_commit_that_panics_takes_nothing_back() {
    let rig = Rig::new();
    let (listener, _guard) = Listener::listen(Level::ERROR);
    let (engine, actions) = start(&rig).await;
    let a = fragile(&engine, "a");
    assert_eq!(total(a.ask(Fail(At::AfterCommit)).await), 1);
    assert_eq!(add(&a).await, 2);
    assert_eq!(actions.count(), 2);
    assert_eq!(listener.events().len(), 1);
    assert!(listener.text().contains("after_commit panicked"), "{}", listener.text());
}

#[tokio::test(start_paused = true)]
async fn actions_run_after_the_commit_and_not_without_it() {
    let rig = Rig::new();
    let (engine, actions) = start(&rig).await;
    let a = fragile(&engine, "a");
    add(&a).await;
    let gate = rig.hold_next(Operation::Append);
    let waits = send(a.ask(Fail(At::Nowhere)));
    gate.held(1).await;
    assert_eq!(actions.count(), 1);
    gate.open();
    assert_eq!(total(waits.await.unwrap()), 2);
    assert_eq!(actions.count(), 2);
    rig.faults.next(Operation::Append, actum_testkit::Fault::unavailable());
    a.ask(Fail(At::Nowhere)).await.unwrap_err();
    assert_eq!(actions.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_action_runs_although_its_caller_has_stopped_waiting() {
    let rig = Rig::new();
    let (engine, actions) = start(&rig).await;
    let gate = rig.hold_next(Operation::Append);
    let asked = fragile(&engine, "a").ask(Fail(At::Nowhere)).timeout(Duration::from_secs(1)).await;
    assert_is!(asked, Err(AskError::Timeout { maybe_applied: true }));
    gate.open();
    all_wait().await;
    assert_eq!(actions.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_initial_state_that_cannot_be_made_fails_commands_to_that_entity_only() {
    let rig = Rig::of_one_partition();
    let (engine, _) = start(&rig).await;
    let dead = fragile(&engine, "stillborn");
    for _ in 0..2 {
        let neighbour = send(fragile(&engine, "b").ask(Dawdle(Duration::ZERO)));
        let (one, two) = (send(dead.ask(Fail(At::Nowhere))), send(dead.state()));
        for error in [one.await.unwrap().unwrap_err(), two.await.unwrap().err().unwrap()] {
            assert_is!(error, AskError::Panicked { message, .. } if message == "in initial");
        }
        assert_eq!(total(neighbour.await.unwrap()), 0);
    }
    assert_eq!((engine.usage().entities, engine.usage().commands), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_named_in_a_warning_and_counted() {
    let rig = Rig::new();
    let (listener, _guard) = Listener::listen(Level::WARN);
    let settings = RuntimeSettings::default().with_slow_handler_after(Duration::from_millis(20));
    let engine = rig.start_with(vec![registered(&Actions::default())], settings).await;
    let a = fragile(&engine, "a");
    a.ask(Delay(Duration::from_millis(20))).await.unwrap();
    a.ask(Delay(Duration::from_millis(20))).await.unwrap();
    assert_eq!((engine.usage().slow_handlers, listener.events().len()), (0, 0));
    a.ask(Delay(Duration::from_millis(21))).await.unwrap();
    assert_eq!(engine.usage().slow_handlers, 1);
    let [warning] = &listener.events()[..] else { panic!("{}", listener.text()) };
    assert_eq!(warning.message(), "slow handler, its whole partition waits");
    assert_eq!(warning.field("kind"), Some("fragile"));
    assert_eq!(warning.field("command"), Some("delay"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_named_when_its_command_had_to_wait_for_a_recovery() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_slow_handler_after(Duration::from_millis(20));
    let engine = rig.start_with(vec![registered(&Actions::default())], settings).await;
    fragile(&engine, "a").ask(Delay(Duration::from_millis(21))).await.unwrap();
    assert_eq!(engine.usage().slow_handlers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_reply_is_answered_when_what_the_reply_saw_is_durable() {
    let rig = Rig::of_one_partition();
    let (engine, _) = start(&rig).await;
    let gate = rig.hold_next(Operation::Append);
    let under_way = send(fragile(&engine, "f").ask(Fail(At::Nowhere)));
    gate.held(1).await;
    let behind = send(fragile(&engine, "f").ask(Fail(At::Reply)));
    all_wait().await;
    assert!(!behind.is_finished());
    gate.open();
    under_way.await.unwrap().unwrap();
    assert_is!(behind.await.unwrap(), Err(AskError::Panicked { .. }));
}
