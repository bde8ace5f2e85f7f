//! A command that carries an id is applied once: a retry gets the reply of the first time, wherever that is kept.

use crate::{
    account::{Account, Balance, Deposit, DepositAll, Leave, Withdraw},
    rig::{Gate, Rig, account, all_wait, assert_is, send},
};
use actum_model::{CommandId, Metadata, Revision};
use actum_persistence::{group_commit::GroupCommitSettings, serializer::Serializer};
use actum_runtime::{
    AskError, Bound, Runtime,
    settings::{CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
};
use actum_testkit::{Damage, Fault, Operation};
use std::time::Duration;

/// Remembers so many ids, and no more.
fn window(commands: usize) -> CommandWindow {
    CommandWindow::default().with_commands_min(commands).with_commands_max(commands)
}

fn remembering(commands: usize) -> EntitySettings<Account> {
    EntitySettings::default().with_commands_max(commands).with_command_window(window(commands))
}

#[tokio::test(start_paused = true)]
async fn a_retry_gets_the_recorded_reply_and_receipt_whatever_happened_since() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Deposit(10)).command_id("c").await.unwrap(), 10);
    assert_eq!(a.ask(Withdraw(4)).command_id("d").await.unwrap(), 6);
    let (reply, receipt) = a.ask(Deposit(10)).command_id("c").with_receipt().await.unwrap();
    assert_eq!((reply, receipt.sequence_nr.get()), (10, 1));
    assert_eq!(a.ask(Withdraw(4)).command_id("d").await.unwrap(), 6);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn ids_belong_to_one_entity() {
    let rig = Rig::of_one_partition();
    let engine = rig.start().await;
    for id in ["a", "b"] {
        assert_eq!(account(&engine, id).ask(Deposit(5)).command_id("c").await.unwrap(), 5);
        assert_eq!(rig.events(id).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_command_is_evaluated_again() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_is!(a.ask(Withdraw(5)).command_id("c").await, Err(AskError::Rejected(_)));
    assert_is!(a.ask(Withdraw(5)).command_id("c").await, Err(AskError::Rejected(_)));
    a.ask(Deposit(8)).await.unwrap();
    assert_eq!(a.ask(Withdraw(5)).command_id("c").await.unwrap(), 3);
    assert_eq!(a.ask(Withdraw(5)).command_id("c").await.unwrap(), 3);
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_comes_back_with_other_content_is_refused() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).command_id("c").await.unwrap();
    for restart in [false, true] {
        let engine = if restart { restarted(&rig, &engine).await } else { engine.clone() };
        let a = account(&engine, "a");
        let error = a.ask(Deposit(6)).command_id("c").await.unwrap_err();
        assert_is!(&error, AskError::CommandIdReused { command: "deposit", .. });
        let text = "the command id `c` was used by a `deposit` with other content";
        assert_eq!(error.to_string(), text);
        assert_eq!(a.ask(Deposit(5)).command_id("c").await.unwrap(), 5);
        assert_eq!(a.ask(Balance).await.unwrap(), 5);
    }
}

async fn restarted(rig: &Rig, engine: &Runtime) -> Runtime {
    let _ = engine.shutdown().await;
    rig.start().await
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_given_stays_whatever_is_given_before_and_after() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let id = |id: &str| CommandId::new(id).unwrap();
    let plain = || Metadata::new().with_header("tenant", "x");
    for (nr, name) in (1..).zip(["one", "two", "three", "four"]) {
        for _ in 0..2 {
            let ask = a.ask(Deposit(1));
            let ask = match nr {
                1 => ask.command_id(name).caused_by("cause").metadata(plain()),
                2 => ask.metadata(plain()).command_id(name),
                3 => ask.metadata(plain().with_command_id(id(name))),
                _ => ask.command_id(name).metadata(plain().with_command_id(id("other"))),
            };
            assert_eq!(ask.caused_by("cause").await.unwrap(), nr, "{name}");
        }
        let stored = rig.stored("account", "a").await;
        let (metadata, _) =
            Serializer::default().decode_metadata(&stored.last().unwrap().metadata).unwrap();
        let expected = plain().with_command_id(id(name)).with_causation_id("cause");
        assert_eq!(metadata, expected, "{name}");
    }
    let bad = a.ask(Deposit(1)).command_id("").metadata(plain()).await;
    assert_is!(bad, Err(AskError::Invalid { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_id_of_another_command_is_refused() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(5)).command_id("c").await.unwrap();
    let error = a.ask(Withdraw(5)).command_id("c").await.unwrap_err();
    assert_is!(
        &error,
        AskError::CommandIdReused { command_id, command: "withdraw", first_command }
        if command_id.as_str() == "c" && first_command == "deposit"
    );
    assert_eq!(error.to_string(), "the command id `c` of this `withdraw` was used by a `deposit`");
    assert!(!error.maybe_applied() && !error.is_transient());
    assert_eq!(a.ask(Balance).await.unwrap(), 5);
}

#[tokio::test(start_paused = true)]
async fn retries_in_flight_get_the_one_reply_after_the_one_commit() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let first = send(a.ask(Deposit(7)).command_id("c"));
    gate.held(1).await;
    let staged: Vec<_> = (0..5).map(|_| send(a.ask(Deposit(9)).command_id("d"))).collect();
    let retries: Vec<_> = (0..5).map(|_| send(a.ask(Deposit(7)).command_id("c"))).collect();
    all_wait().await;
    assert!(retries.iter().chain(&staged).all(|retry| !retry.is_finished()));
    gate.open();
    assert_eq!(first.await.unwrap().unwrap(), 7);
    for retry in retries {
        assert_eq!(retry.await.unwrap().unwrap(), 7);
    }
    for retry in staged {
        assert_eq!(retry.await.unwrap().unwrap(), 16);
    }
    assert_eq!(rig.events("a").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_does_not_wait_for_what_came_after_the_first_time() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    a.ask(Deposit(7)).command_id("c").await.unwrap();
    let gate = rig.hold_next(Operation::Append);
    let other = send(a.ask(Deposit(1)));
    gate.held(1).await;
    assert_eq!(a.ask(Deposit(7)).command_id("c").await.unwrap(), 7);
    assert!(!other.is_finished());
    gate.open();
    other.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_id_is_forgotten_while_its_command_is_under_way() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    // as many as may wait, but for the retry
    let all: Vec<_> =
        (0..1_999).map(|n| send(a.ask(Deposit(1)).command_id(format!("c{n}")))).collect();
    gate.held(1).await;
    all_wait().await;
    let retry = send(a.ask(Deposit(1)).command_id("c0"));
    all_wait().await;
    gate.open();
    for first in all {
        first.await.unwrap().unwrap();
    }
    assert_eq!(retry.await.unwrap().unwrap(), 1);
    assert_eq!(a.ask(Balance).await.unwrap(), 1_999);
}

#[tokio::test(start_paused = true)]
async fn no_id_is_forgotten_before_its_command_is_stored_even_if_no_caller_waits_for_it_any_more() {
    let rig = Rig::new();
    let engine = rig.start_accounts(remembering(3)).await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let second = Duration::from_secs(1);
    let ask = |id: &str| a.ask(Deposit(1)).command_id(id).timeout(second);
    for id in ["c0", "c1", "c2"] {
        assert_is!(ask(id).await, Err(AskError::Timeout { maybe_applied: true }));
    }
    let refused = ask("c3").await;
    assert_is!(refused, Err(AskError::Overloaded { bound: Bound::EntityCommands }));
    gate.open();
    all_wait().await;
    assert_eq!(ask("c0").await.unwrap(), 1, "the first of them is still remembered");
    assert_eq!(ask("c3").await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_retry_whose_first_time_is_not_stored_fails_with_it_and_the_next_one_is_applied() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = Gate::closed();
    rig.faults.next(Operation::Append, Fault::unavailable().held_before(&gate));
    let first = send(a.ask(Deposit(7)).command_id("c"));
    gate.held(1).await;
    let retry = send(a.ask(Deposit(7)).command_id("c"));
    all_wait().await;
    gate.open();
    assert_is!(first.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_is!(retry.await.unwrap(), Err(AskError::Unavailable { .. }));
    assert_eq!(a.ask(Deposit(7)).command_id("c").await.unwrap(), 7);
    assert_eq!(rig.events("a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_an_unknown_outcome_applies_the_command_once_whatever_it_was() {
    for committed in [true, false] {
        let rig = Rig::new();
        let once = GroupCommitSettings::default().with_resolve_attempts_max(1);
        let engine = rig.start_set(RuntimeSettings::default().with_group_commit(once)).await;
        let a = account(&engine, "a");
        let unknown =
            if committed { Fault::unknown_committed() } else { Fault::unknown_uncommitted() };
        rig.faults.next(Operation::Append, unknown);
        rig.faults.next(Operation::Resolve, Fault::unavailable());
        let first = a.ask(Deposit(7)).command_id("c").await;
        assert_is!(first, Err(AskError::OutcomeUnknown { .. }));
        assert_eq!(a.ask(Deposit(7)).command_id("c").await.unwrap(), 7);
        assert_eq!(rig.events("a").await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_a_timeout_applies_the_command_once() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    let gate = rig.hold_next(Operation::Append);
    let second = Duration::from_secs(1);
    let first = a.ask(Deposit(7)).command_id("c").timeout(second).await;
    assert_is!(first, Err(AskError::Timeout { maybe_applied: true }));
    let retry = send(a.ask(Deposit(7)).command_id("c"));
    gate.open();
    assert_eq!(retry.await.unwrap().unwrap(), 7);
    assert_eq!(rig.events("a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_a_shutdown_cuts_off_is_not_called_unapplied() {
    let rig = Rig::new();
    let settings = RuntimeSettings::default().with_ask_timeout(Duration::from_secs(3600));
    let engine = rig.start_set(settings.with_shutdown_timeout(Duration::from_secs(10))).await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Deposit(7)).command_id("c").await.unwrap(), 7);
    let record = rig.hold_next(Operation::ReadEntities);
    let retry = send(a.ask(Deposit(7)).command_id("c"));
    record.held(1).await;
    assert_eq!(engine.shutdown().await.unanswered, 1);
    assert_is!(retry.await.unwrap(), Err(AskError::OutcomeUnknown { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_a_restart_or_a_crash_gets_the_recorded_reply() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let all = DepositAll(vec![1, 2, 4]);
    assert_eq!(account(&engine, "a").ask(all).command_id("c").await.unwrap(), 7);
    account(&engine, "a").ask(Deposit(100)).await.unwrap();
    let _ = engine.shutdown().await;

    let engine = rig.start().await;
    let all = DepositAll(vec![1, 2, 4]);
    assert_eq!(account(&engine, "a").ask(all).command_id("c").await.unwrap(), 7);
    drop(engine); // a crash: its lease runs out
    tokio::time::sleep(Duration::from_secs(11)).await;

    let engine = rig.start().await;
    let retry = account(&engine, "a").ask(DepositAll(vec![1, 2, 4])).command_id("c").with_receipt();
    let (reply, receipt) = retry.await.unwrap();
    assert_eq!((reply, receipt.sequence_nr.get()), (7, 3));
    assert_eq!(rig.events("a").await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_passivation_gets_the_recorded_reply() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Leave(5)).command_id("c").await.unwrap(), 5);
    assert_eq!(engine.usage().entities, 0);
    assert_eq!(a.ask(Leave(5)).command_id("c").await.unwrap(), 5);
    assert_eq!(engine.usage().entities, 1, "a retry does not let the entity leave again");
    assert_eq!(rig.events("a").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands_are_remembered_when_a_snapshot_cannot_be_read() {
    let rig = Rig::new();
    let settings = EntitySettings::default().with_snapshots(SnapshotSettings::every(2));
    let engine = rig.start_accounts(settings.clone()).await;
    for id in ["c", "d", "e"] {
        account(&engine, "a").ask(Deposit(1)).command_id(id).await.unwrap();
    }
    let _ = engine.shutdown().await;
    rig.faults.next(Operation::Recover, Fault::damaged_snapshot(Damage::Metadata));
    let engine = rig.start_accounts(settings).await;
    for (n, id) in (1..).zip(["c", "d", "e"]) {
        assert_eq!(account(&engine, "a").ask(Deposit(1)).command_id(id).await.unwrap(), n);
    }
    assert_eq!(rig.faults.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn only_as_many_ids_as_set_are_remembered_in_memory_and_on_disk() {
    let rig = Rig::new();
    let engine = rig.start_accounts(remembering(3)).await;
    let a = account(&engine, "a");
    for (n, id) in (1..).zip(["1", "2", "3", "4"]) {
        assert_eq!(a.ask(Deposit(1)).command_id(id).await.unwrap(), n);
    }
    for (n, id) in (2..).zip(["2", "3", "4"]) {
        assert_eq!(a.ask(Deposit(1)).command_id(id).await.unwrap(), n);
    }
    let _ = engine.shutdown().await;
    let engine = rig.start_accounts(remembering(3)).await;
    let a = account(&engine, "a");
    assert_eq!(a.ask(Deposit(1)).command_id("2").await.unwrap(), 2);
    assert_eq!(a.ask(Deposit(1)).command_id("1").await.unwrap(), 5, "it was forgotten");
    assert_eq!(a.ask(Deposit(1)).command_id("1").await.unwrap(), 5);
    assert_eq!(a.ask(Deposit(1)).command_id("2").await.unwrap(), 6, "1 took its place");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_is_refused_and_nothing_is_sent() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    for (id, what) in [
        (String::new(), "a command id must not be empty"),
        ("x".repeat(129), "a command id has at most 128 bytes, this one has 129"),
        ("a\0b".to_owned(), "a command id must not contain NUL"),
    ] {
        let asked = a.ask(Deposit(1)).command_id(&id).await;
        assert_is!(asked, Err(AskError::Invalid { what: said }) if said == what);
        assert_is!(
            a.ask(Deposit(1)).command_id(&id).tell().unwrap_err().0,
            AskError::Invalid { what: said } if said == what
        );
    }
    assert_eq!(a.ask(Deposit(1)).command_id("x".repeat(128)).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_expects_the_revision_of_the_first_time_is_still_a_retry() {
    let rig = Rig::new();
    let engine = rig.start().await;
    let a = account(&engine, "a");
    for _ in 0..2 {
        let asked = a.ask(Deposit(1)).command_id("c").expect_revision(Revision::new(0));
        assert_eq!(asked.await.unwrap(), 1);
    }
}
