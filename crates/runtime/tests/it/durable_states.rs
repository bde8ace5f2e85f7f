//! Entities that are stored whole, with a revision.

use crate::{
    note::{Add, Erase, Note, Read, Write, note, notes, record},
    rig::{Gate, Rig, all_wait, assert_is, send},
};
use actum_model::{Revision, StoredPayload};
use actum_persistence::group_commit::GroupCommitSettings;
use actum_runtime::{
    AskError, Registration, Runtime,
    settings::{CommandWindow, EntitySettings, RuntimeSettings},
};
use actum_testkit::{Damage, Fault, Operation};

async fn start(rig: &Rig) -> Runtime {
    rig.start_with(vec![notes()], RuntimeSettings::default()).await
}

async fn restart(rig: &Rig, engine: Runtime) -> Runtime {
    assert!(engine.shutdown().await.is_clean());
    start(rig).await
}

fn text(text: &str) -> Write {
    Write(text.to_owned())
}

/// The revision and the text that the store has; no text for a tombstone.
async fn stored(rig: &Rig, id: &str) -> Option<(u64, Option<String>)> {
    let record = record(rig, id).await?;
    let text = record.state.map(|state| state.decode::<Note>().unwrap().text);
    Some((record.revision.get(), text))
}

#[tokio::test(start_paused = true)]
async fn a_state_is_replaced_as_a_whole() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    assert_eq!(n.ask(Read).await.unwrap(), "");
    assert_eq!(stored(&rig, "n").await, None, "a query writes nothing");
    assert_eq!(n.ask(text("one")).await.unwrap(), "");
    assert_eq!(n.ask(Add(" two".into())).await.unwrap(), "one two");
    assert_eq!(stored(&rig, "n").await, Some((2, Some("one two".into()))));
    assert_eq!(n.state().await.unwrap(), Note { text: "one two".into() });
    let engine = restart(&rig, engine).await;
    assert_eq!(note(&engine, "n").ask(Add("!".into())).await.unwrap(), "one two!");
    assert_eq!(stored(&rig, "n").await, Some((3, Some("one two!".into()))));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_deleted_is_the_initial_one_and_its_revision_counts_on() {
    let rig = Rig::new();
    let mut engine = start(&rig).await;
    note(&engine, "n").ask(text("one")).await.unwrap();
    for revision in [2, 4] {
        assert_eq!(note(&engine, "n").ask(Erase).await.unwrap(), "");
        assert_eq!(stored(&rig, "n").await, Some((revision, None)));
        assert_eq!(note(&engine, "n").ask(Read).await.unwrap(), "");
        engine = restart(&rig, engine).await;
        assert_eq!(note(&engine, "n").ask(text("again")).await.unwrap(), "");
        assert_eq!(stored(&rig, "n").await, Some((revision + 1, Some("again".into()))));
    }
    note(&engine, "never").ask(Erase).await.unwrap();
    assert_eq!(stored(&rig, "never").await, Some((1, None)));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_carries_the_revision_and_no_position() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    for revision in 1..4 {
        let asked = note(&engine, "n").ask(text("x")).with_receipt();
        let (_, receipt) = asked.await.unwrap();
        assert_eq!((receipt.sequence_nr.get(), receipt.position), (revision, None));
    }
}

#[tokio::test(start_paused = true)]
async fn expect_revision_counts_writes_deletions_included() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    n.ask(text("one")).expect_revision(Revision::new(0)).await.unwrap();
    n.ask(Erase).expect_revision(Revision::new(1)).await.unwrap();
    let stale = n.ask(text("two")).expect_revision(Revision::new(0)).await;
    assert_is!(stale, Err(AskError::RevisionMismatch { expected, actual }) if (expected.get(), actual.get()) == (0, 2));
    n.ask(text("two")).expect_revision(Revision::new(2)).await.unwrap();
    let engine = restart(&rig, engine).await;
    let stale = note(&engine, "n").ask(Erase).expect_revision(Revision::new(2)).await;
    assert_is!(stale, Err(AskError::RevisionMismatch { expected, actual }) if (expected.get(), actual.get()) == (2, 3));
    assert_eq!(stored(&rig, "n").await, Some((3, Some("two".into()))));
}

#[tokio::test(start_paused = true)]
async fn another_writer_that_was_faster_is_a_conflict_and_its_state_is_taken_in() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    n.ask(text("mine")).await.unwrap();
    let theirs = StoredPayload::encode(&Note { text: "theirs".into() }).unwrap();
    rig.faults.next(Operation::WriteStates, Fault::foreign_writer_of(theirs));
    let lost = n.ask(Add(" too".into())).await;
    assert_is!(lost, Err(AskError::Conflict { expected, actual }) if (expected.get(), actual.get()) == (1, 2));
    assert_eq!(n.ask(Add(" too".into())).await.unwrap(), "theirs too");
    assert_eq!(stored(&rig, "n").await, Some((3, Some("theirs too".into()))));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_leaves_the_others_of_its_batch_alone() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let gate = rig.hold_next(Operation::WriteStates);
    let first = send(note(&engine, "first").ask(text("x")));
    gate.held(1).await;
    rig.faults.next(Operation::WriteStates, Fault::foreign_writer());
    let rest: Vec<_> =
        (0..50).map(|n| send(note(&engine, &n.to_string()).ask(text("x")))).collect();
    all_wait().await;
    gate.open();
    first.await.unwrap().unwrap();
    let mut conflicts = 0;
    for asking in rest {
        match asking.await.unwrap() {
            Ok(_) => {}
            Err(AskError::Conflict { expected, actual })
                if (expected.get(), actual.get()) == (0, 1) =>
            {
                conflicts += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((conflicts, rig.faults.calls(Operation::WriteStates)), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn changes_during_a_write_gather_into_one_that_skips_revisions() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    let gate = rig.hold_next(Operation::WriteStates);
    let first = send(n.ask(Add("0".into())));
    gate.held(1).await;
    let rest: Vec<_> = (1..10).map(|at| send(n.ask(Add(at.to_string())).with_receipt())).collect();
    let look = send(n.state());
    all_wait().await;
    assert!(rest.iter().all(|asking| !asking.is_finished()) && !look.is_finished());
    gate.open();
    assert_eq!(first.await.unwrap().unwrap(), "0");
    for (at, asking) in (1..).zip(rest) {
        let (reply, receipt) = asking.await.unwrap().unwrap();
        assert_eq!(reply, "0123456789"[..=at]);
        assert_eq!(receipt.sequence_nr.get(), at as u64 + 1);
    }
    assert_eq!(look.await.unwrap().unwrap().text, "0123456789");
    assert_eq!(rig.faults.calls(Operation::WriteStates), 2);
    assert_eq!(stored(&rig, "n").await, Some((10, Some("0123456789".into()))));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_gathers_with_writes_counts_in_its_order() {
    for erased_last in [false, true] {
        let rig = Rig::new();
        let engine = start(&rig).await;
        let n = note(&engine, "n");
        let gate = rig.hold_next(Operation::WriteStates);
        let first = send(n.ask(text("a")));
        gate.held(1).await;
        let rest = if erased_last {
            [send(n.ask(text("b"))), send(n.ask(Erase))]
        } else {
            [send(n.ask(Erase)), send(n.ask(Add("b".into())))]
        };
        all_wait().await;
        gate.open();
        first.await.unwrap().unwrap();
        for asking in rest {
            asking.await.unwrap().unwrap();
        }
        let text = (!erased_last).then(|| "b".to_owned());
        assert_eq!(stored(&rig, "n").await, Some((3, text)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_leaves_memory_where_the_store_is() {
    let committed = |text: &str| (2, Some(text.to_owned()));
    let cases = [
        (Fault::unavailable(), None),
        (Fault::unknown_uncommitted(), None),
        (Fault::unknown_committed(), Some(committed("ab"))),
        (Fault::unknown_until_resolved(), Some(committed("ab"))),
        (Fault::panic(), None),
    ];
    for (fault, after) in cases {
        let what = format!("{fault:?}");
        let rig = Rig::new();
        let engine = start(&rig).await;
        let n = note(&engine, "n");
        n.ask(text("a")).await.unwrap();
        let gate = Gate::closed();
        rig.faults.next(Operation::WriteStates, fault.held_before(&gate));
        let sent = send(n.ask(Add("b".into())));
        gate.held(1).await;
        let (query, erase) = (send(n.ask(Read)), send(n.ask(Erase)));
        all_wait().await;
        gate.open();
        if after.is_some() {
            assert_eq!(sent.await.unwrap().unwrap(), "ab", "{what}");
            assert_eq!(query.await.unwrap().unwrap(), "ab", "{what}");
            erase.await.unwrap().unwrap();
            assert_eq!(stored(&rig, "n").await, Some((3, None)), "{what}");
        } else {
            for asking in [sent, query, erase] {
                assert_is!(asking.await.unwrap(), Err(AskError::Unavailable { .. }));
            }
            assert_eq!(stored(&rig, "n").await, Some((1, Some("a".into()))), "{what}");
            assert_eq!(n.ask(Add("c".into())).await.unwrap(), "ac", "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_found_out_is_unknown_and_the_retry_applies_it_once() {
    for committed in [true, false] {
        let rig = Rig::new();
        let once = GroupCommitSettings::default().with_resolve_attempts_max(1);
        let settings = RuntimeSettings::default().with_group_commit(once);
        let engine = rig.start_with(vec![notes()], settings).await;
        let n = note(&engine, "n");
        let fault =
            if committed { Fault::unknown_committed() } else { Fault::unknown_uncommitted() };
        rig.faults.next(Operation::WriteStates, fault);
        rig.faults.next(Operation::ResolveStates, Fault::unavailable());
        let first = n.ask(Add("x".into())).command_id("c").await;
        assert_is!(first, Err(AskError::OutcomeUnknown { .. }));
        assert_eq!(n.ask(Add("x".into())).command_id("c").await.unwrap(), "x");
        assert_eq!(stored(&rig, "n").await, Some((1, Some("x".into()))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_gets_the_recorded_reply_after_restart_and_deletion() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    assert_eq!(n.ask(Add("x".into())).command_id("c").await.unwrap(), "x");
    assert_eq!(n.ask(Add("x".into())).command_id("c").await.unwrap(), "x");
    n.ask(Erase).command_id("d").await.unwrap();
    assert_eq!(n.ask(Add("x".into())).command_id("c").await.unwrap(), "x");
    assert_is!(n.ask(Erase).command_id("c").await, Err(AskError::CommandIdReused { .. }));
    let engine = restart(&rig, engine).await;
    let n = note(&engine, "n");
    assert_eq!(n.ask(Add("x".into())).command_id("c").await.unwrap(), "x");
    assert_eq!(n.ask(Erase).command_id("d").await.unwrap(), "");
    assert_eq!(stored(&rig, "n").await, Some((2, None)));
}

#[tokio::test(start_paused = true)]
async fn as_many_ids_are_remembered_as_set() {
    let rig = Rig::new();
    let window = CommandWindow::default().with_commands_min(2).with_commands_max(2);
    let settings = EntitySettings::default().with_command_window(window);
    let kind = || Registration::durable_state::<Note>((), settings.clone());
    let engine = rig.start_with(vec![kind()], Default::default()).await;
    let n = note(&engine, "n");
    for id in ["1", "2", "3"] {
        n.ask(Add(id.into())).command_id(id).await.unwrap();
    }
    assert_eq!(n.ask(Add("2".into())).command_id("2").await.unwrap(), "12");
    assert_eq!(n.ask(Add("1".into())).command_id("1").await.unwrap(), "1231", "it was forgotten");
    let _ = engine.shutdown().await;
    let engine = rig.start_with(vec![kind()], Default::default()).await;
    let n = note(&engine, "n");
    assert_eq!(n.ask(Add("3".into())).command_id("3").await.unwrap(), "123");
    assert_eq!(n.ask(Add("1".into())).command_id("1").await.unwrap(), "1231");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_read_is_corrupt_and_never_the_initial_one() {
    let damages =
        [Damage::Bytes, Damage::Manifest, Damage::NewerSchema, Damage::Codec, Damage::Metadata];
    for damage in damages {
        let rig = Rig::new();
        let engine = start(&rig).await;
        note(&engine, "n").ask(text("x")).command_id("c").await.unwrap();
        let engine = restart(&rig, engine).await;
        rig.faults.next(Operation::LoadStates, Fault::damaged_state(damage));
        let error = note(&engine, "n").ask(Read).await.unwrap_err();
        assert_is!(&error, AskError::Corrupt { what } if what.starts_with("note/n: revision 1: "));
        assert_eq!(note(&engine, "n").ask(Read).await.unwrap(), "x", "{damage:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_and_its_memory_of_commands_need_no_state() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    note(&engine, "n").ask(Erase).command_id("c").await.unwrap();
    let engine = restart(&rig, engine).await;
    let (_, receipt) = note(&engine, "n").ask(Erase).command_id("c").with_receipt().await.unwrap();
    assert_eq!(receipt.sequence_nr.get(), 1);
    assert_eq!(stored(&rig, "n").await, Some((1, None)));
}
