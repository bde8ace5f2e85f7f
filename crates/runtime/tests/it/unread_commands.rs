//! Command ids of a durable state, or what was recorded of them, that cannot be read: no caller is answered by guess.

use crate::{
    note::{Add, Erase, Note, Read, Write, note, notes, record},
    rig::{Gate, Rig, all_wait, assert_is, send},
};
use actum_persistence::store::{COMMANDS_READ_MAX, StoreError};
use actum_runtime::{Ask, AskError, EntityRef, Runtime, settings::RuntimeSettings};
use actum_testkit::{Fault, Operation};

async fn start(rig: &Rig) -> Runtime {
    rig.start_with(vec![notes()], RuntimeSettings::default()).await
}

/// Writes the number of this id; answered with the text before it.
fn write(note: &EntityRef<Note>, id: usize) -> Ask<Note, Write> {
    note.ask(Write(id.to_string())).command_id(id.to_string())
}

/// Adds the number of this id; answered with the text after it.
fn add(note: &EntityRef<Note>, id: usize) -> Ask<Note, Add> {
    note.ask(Add(format!("{id};"))).command_id(id.to_string())
}

fn faults() -> [Fault; 3] {
    let unknown = StoreError::outcome_unknown("reading", "the connection broke");
    [Fault::unavailable(), Fault::fail(unknown), Fault::panic()]
}

#[tokio::test(start_paused = true)]
async fn ids_that_cannot_be_read_fail_the_recovery_and_nothing_is_applied_again() {
    let rig = Rig::new();
    let engine = start(&rig).await;
    for id in 1..=2 * COMMANDS_READ_MAX + 1 {
        write(&note(&engine, "n"), id).await.unwrap();
    }
    let _ = engine.shutdown().await;
    let before = record(&rig, "n").await;
    let engine = start(&rig).await;
    let n = note(&engine, "n");
    for reads in [0, 1] {
        for fault in faults() {
            rig.faults.next_n(Operation::ReadCommands, reads, Fault::none());
            rig.faults.next(Operation::ReadCommands, fault);
            let waiting = [send(write(&n, 1)), send(n.ask(Erase))];
            for waits in waiting {
                assert_is!(waits.await.unwrap(), Err(AskError::Unavailable { .. }));
            }
            assert_eq!((rig.faults.left(), engine.usage().entities), (0, 0));
        }
    }
    assert_eq!(record(&rig, "n").await, before);
    let reads = rig.faults.calls(Operation::ReadCommands);
    assert_eq!(write(&n, 1).await.unwrap(), "", "as the first time");
    assert_eq!(n.ask(Read).await.unwrap(), "2001");
    // the newest ids came with the state, two reads have brought the others, and one the reply
    assert_eq!(rig.faults.calls(Operation::ReadCommands), reads + 3);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_read_fails_the_retries_that_wait_for_it_and_no_other_command() {
    for fault in faults() {
        let rig = Rig::new();
        let engine = start(&rig).await;
        let n = note(&engine, "n");
        for id in 1..=2 {
            add(&n, id).await.unwrap();
        }
        let loads = rig.faults.calls(Operation::LoadStates);
        let gate = Gate::closed();
        rig.faults.next(Operation::ReadCommands, fault.held_before(&gate));
        let first = send(add(&n, 1));
        gate.held(1).await;
        let second = send(add(&n, 1));
        all_wait().await;
        assert_eq!(add(&n, 2).await.unwrap(), "1;2;", "another record");
        assert_eq!(add(&n, 3).await.unwrap(), "1;2;3;", "a new command");
        gate.open();
        for retry in [first, second] {
            assert_is!(retry.await.unwrap(), Err(AskError::Unavailable { .. }));
        }
        assert_eq!(add(&n, 1).await.unwrap(), "1;");
        assert_eq!(n.ask(Read).await.unwrap(), "1;2;3;");
        assert_eq!(rig.faults.calls(Operation::LoadStates), loads, "the entity stays in memory");
    }
}
