//! No write waits for a store that cannot say the outcome of a batch.

use super::{
    gate_store::Answer,
    patience::next,
    recorder::{Notice, results},
    writer::{JournalCalls, lane_writer, store_next},
    writes::{
        Machine, all, append, append_of, appended, ids, machine, to_resolve, to_write, unavailable,
        unknown, words,
    },
};
use actum_model::Lane;
use actum_persistence::{
    Weight,
    group_commit::{
        CommitError, GroupCommit, GroupCommitSettings, LaneWriter, Settled, WriterScope,
    },
    store::{
        EntityAppend,
        Resolution::{NotStored, Stored},
        StoreError,
    },
};
use std::{error::Error, time::Duration};
use tokio::{
    sync::mpsc::{Receiver, error::TryRecvError},
    time::Instant,
};

/// A machine that is to find out about write 1, and has failed once.
fn away(mut machine: Machine) -> (Machine, Vec<EntityAppend>) {
    machine.submit(append(1), 1);
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(unknown()));
    let (batch, _) = to_resolve(&mut machine);
    assert!(machine.resolved(batch, Err(unavailable())).is_empty(), "no one waits");
    let (batch, attempt) = to_resolve(&mut machine);
    assert_eq!(attempt, 2);
    (machine, batch)
}

fn refusal(settled: &Settled<u32>) -> &StoreError {
    match &settled.result {
        Err(CommitError::Store(error @ StoreError::Unavailable { .. })) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn no_one_is_refused_before_an_attempt_has_failed() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    assert!(machine.refuse_waiting().is_empty(), "nothing is in flight");
    let batch = to_write(&mut machine);
    machine.submit(append(2), 2);
    assert!(machine.refuse_waiting().is_empty(), "a batch is being written");
    machine.finished(batch, Err(unknown()));
    assert!(machine.refuse_waiting().is_empty(), "no one has asked");
    let (batch, _) = to_resolve(&mut machine);
    assert!(machine.refuse_waiting().is_empty(), "the store may still answer");
    machine.resolved(batch, Ok(vec![Stored(appended(1))]));
    assert_eq!(ids(&to_write(&mut machine)), [2]);
}

#[test]
fn all_that_wait_when_the_first_attempt_fails_are_refused_with_the_stores_own_error() {
    let mut machine = machine();
    machine.submit(append(1), 1);
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(unknown()));
    let (batch, _) = to_resolve(&mut machine);
    machine.submit(append_of(2, &[30, 30]), 2);
    machine.submit(append(1), 3);
    let settled = machine.resolved(batch, Err(unavailable()));
    assert_eq!(words(&settled), all(2..4, "unavailable"));
    let error = refusal(&settled[0]);
    let said = "the store is unavailable: committing behind a batch whose outcome is unknown";
    assert_eq!(error.to_string(), said);
    assert_eq!(error.source().unwrap().to_string(), "the server is starting");
    assert_eq!(machine.waiting(), Weight::ZERO);
    assert_eq!(machine.pending(), Weight { events: 1, bytes: 1 }, "write 1 is not settled");
}

#[test]
fn errors_of_every_kind_are_the_cause_of_a_refusal() {
    let errors = [
        (unavailable(), "the server is starting"),
        (unknown(), "the connection broke"),
        (StoreError::corrupt("a hole"), "the store holds corrupt data: a hole"),
        (StoreError::invalid("no"), "the store refuses the request: no"),
    ];
    for (error, cause) in errors {
        let (mut machine, batch) = away(machine());
        machine.submit(append(2), 2);
        let settled = machine.resolved(batch, Err(error));
        assert_eq!(refusal(&settled[0]).source().unwrap().to_string(), cause);
    }
}

#[test]
fn what_is_submitted_later_is_refused_in_its_turn() {
    let (mut machine, batch) = away(machine());
    for ticket in 2..5 {
        machine.submit(append(ticket), ticket);
        assert_eq!(words(&machine.refuse_waiting()), all([ticket], "unavailable"));
        assert!(machine.refuse_waiting().is_empty(), "no one is refused twice");
    }
    assert!(machine.next_step().is_none(), "the attempt is under way");
    assert_eq!(words(&machine.resolved(batch, Ok(vec![NotStored]))), all([1], "unavailable"));
}

#[test]
fn once_it_is_found_out_writes_go_on() {
    let (mut machine, batch) = away(machine());
    machine.submit(append(2), 2);
    let settled = machine.resolved(batch, Ok(vec![Stored(appended(8))]));
    assert_eq!(words(&settled), all([1], "at 8"), "what came while the store answered is not lost");
    machine.submit(append(3), 3);
    assert!(machine.refuse_waiting().is_empty());
    assert_eq!(ids(&to_write(&mut machine)), [2, 3]);
}

#[test]
fn once_it_is_given_up_writes_go_on() {
    let settings = GroupCommitSettings::default().with_resolve_attempts_max(2);
    let (mut machine, batch) = away(GroupCommit::new(WriterScope::Lane(Lane::new(0)), &settings));
    machine.submit(append(2), 2);
    assert_eq!(words(&machine.resolved(batch, Err(unavailable()))), all([1], "unknown"));
    assert!(machine.refuse_waiting().is_empty());
    assert_eq!(ids(&to_write(&mut machine)), [2]);
}

#[test]
fn no_half_of_a_refused_batch_waits_on() {
    let mut machine = machine();
    (0..4).for_each(|id| machine.submit(append(id), id));
    let batch = to_write(&mut machine);
    machine.finished(batch, Err(StoreError::invalid("no")));
    let half = to_write(&mut machine);
    machine.finished(half, Err(unknown()));
    let (half, _) = to_resolve(&mut machine);
    assert_eq!(words(&machine.resolved(half, Err(unavailable()))), all(2..4, "unavailable"));
    let (half, _) = to_resolve(&mut machine);
    machine.resolved(half, Ok(vec![NotStored, NotStored]));
    (0..9).for_each(|id| machine.submit(append(id), id));
    assert_eq!(to_write(&mut machine).len(), 9, "no half of the past bounds a later batch");
}

/// A writer whose store could not say the outcome of write 1; it asks again in 50 ms.
async fn writer_away() -> (LaneWriter<u32>, JournalCalls, Receiver<Notice>) {
    let (writer, mut calls, notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    (writer, calls, notices)
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_an_unknown_outcome_is_refused_when_the_store_has_failed_to_say() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    writer.queue().submit([(append(2), 2)]);
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    writer.queue().submit([(append(3), 3)]);
    let since = Instant::now();
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    let mut refused = results(&mut notices).await;
    refused.append(&mut results(&mut notices).await); // one waited in the machine, the other in the queue
    assert_eq!(refused, all(2..4, "unavailable"));
    assert_eq!(since.elapsed(), Duration::ZERO);
    assert_eq!(writer.queue().pending(), Weight { events: 1, bytes: 1 });
}

#[tokio::test(start_paused = true)]
async fn during_the_pause_and_the_next_attempt_writes_are_refused_at_once() {
    let (writer, mut calls, mut notices) = writer_away().await;
    let queue = writer.queue();
    let since = Instant::now();
    for ticket in 2..6 {
        queue.submit([(append(ticket), ticket)]);
        assert_eq!(results(&mut notices).await, all([ticket], "unavailable"));
    }
    assert_eq!(since.elapsed(), Duration::ZERO, "a pause keeps no one waiting");
    let (_, answer) = next(&mut calls).await.resolve();
    assert_eq!(since.elapsed(), Duration::from_millis(50), "refusals do not shorten the pause");
    for ticket in 6..9 {
        queue.submit([(append(ticket), ticket)]);
        assert_eq!(results(&mut notices).await, all([ticket], "unavailable"));
    }
    assert_eq!(since.elapsed(), Duration::from_millis(50), "nor does a store that takes its time");
    answer.send(Answer::Say(Ok(vec![Stored(appended(4))]))).unwrap();
    assert_eq!(results(&mut notices).await, all([1], "at 4"));
    queue.submit([(append(9), 9)]);
    assert_eq!(store_next(&mut calls).await, [9], "the lane goes on");
    assert_eq!(results(&mut notices).await, all([9], "at 1"));
    assert_eq!(queue.pending(), Weight::ZERO);
}

#[tokio::test(start_paused = true)]
async fn while_the_first_attempt_is_under_way_writes_wait() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    writer.queue().submit([(append(2), 2)]);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(notices.try_recv(), Err(TryRecvError::Empty));
    answer.send(Answer::Say(Ok(vec![NotStored]))).unwrap();
    assert_eq!(results(&mut notices).await, all([1], "unavailable"));
    assert_eq!(store_next(&mut calls).await, [2]);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_closes_while_its_store_is_away_still_finds_out() {
    let (writer, mut calls, mut notices) = writer_away().await;
    drop(writer);
    tokio::time::sleep(Duration::from_millis(10)).await;
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Ok(vec![Stored(appended(4))]))).unwrap();
    assert_eq!(results(&mut notices).await, all([1], "at 4"));
}
