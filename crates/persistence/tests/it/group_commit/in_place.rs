//! On one thread the task of a writer cannot run while a test does not wait: what has happened by then was done in place.

use super::{
    gate_store::{Answer, Journal},
    patience::{is_over, next},
    recorder::{Notice, Recorder, results},
    writer::JournalCalls,
    writes::{all, append, appended, ids, unavailable, unknown, word},
};
use actum_model::{Lane, Partition};
use actum_persistence::{
    Weight,
    group_commit::{
        CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter, Undrained,
    },
    store::{Incarnation, Resolution, StoreError},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc::Receiver, task::yield_now};

struct Fixture {
    store: Arc<Journal>,
    writer: LaneWriter<u32>,
    calls: JournalCalls,
    notices: Receiver<Notice>,
}

/// A writer that waits for something to do.
async fn idle() -> Fixture {
    let ((store, calls), (sink, notices)) = (Journal::new(), Recorder::new());
    let settings = GroupCommitSettings::default();
    let (lane, incarnation) = (Lane::new(0), Incarnation::new(5));
    let writer = LaneWriter::spawn(Arc::clone(&store) as _, lane, incarnation, settings, sink);
    rest().await;
    Fixture { store, writer, calls, notices }
}

async fn rest() {
    for _ in 0..10 {
        yield_now().await;
    }
}

fn stored() -> Answer<Vec<actum_persistence::store::AppendOutcome>> {
    Answer::Say(Ok(vec![appended(1)]))
}

/// What a sink was notified of by now.
fn notices_by_now(notices: &mut Receiver<Notice>) -> Vec<(u32, String)> {
    match notices.try_recv() {
        Ok(Notice::Committed { results, .. }) => results,
        Ok(other) => panic!("expected results, got {other:?}"),
        Err(_) => Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_alone_is_settled_in_place_by_a_store_that_answers_at_once() {
    let mut fixture = idle().await;
    for id in 2..10 {
        fixture.store.answer_at_once(stored());
        assert!(!fixture.writer.queue().submit_alone([(append(id), id)]), "no task was woken");
        assert_eq!(notices_by_now(&mut fixture.notices), all([id], "at 1"));
        assert_eq!(fixture.writer.queue().pending(), Weight::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_begun_in_place_if_it_is_alone_and_not_otherwise() {
    let mut fixture = idle().await;
    assert!(fixture.writer.queue().submit([(append(1), 1)]));
    assert!(fixture.calls.try_recv().is_err(), "there may be more to come");
    let (_, answer) = next(&mut fixture.calls).await.write();
    answer.send(stored()).unwrap();
    assert_eq!(results(&mut fixture.notices).await, all([1], "at 1"));
    rest().await;
    assert!(fixture.writer.queue().submit_alone([(append(2), 2)]));
    let (batch, answer) = fixture.calls.try_recv().expect("it is on its way").write();
    assert_eq!(ids(&batch.appends), [2]);
    assert!(!fixture.writer.queue().submit_alone([(append(3), 3)]), "the writer is at work");
    answer.send(stored()).unwrap();
    assert_eq!(results(&mut fixture.notices).await, all([2], "at 1"));
    let (batch, answer) = next(&mut fixture.calls).await.write();
    assert_eq!(ids(&batch.appends), [3], "it has waited for the one before");
    answer.send(stored()).unwrap();
    assert_eq!(results(&mut fixture.notices).await, all([3], "at 1"));
}

#[tokio::test(start_paused = true)]
async fn writes_of_many_wait_for_each_other_although_the_store_answers_at_once() {
    let mut fixture = idle().await;
    for id in 1..4 {
        fixture.store.answer_at_once(Answer::Say(Ok(vec![appended(1); 3])));
        assert_eq!(fixture.writer.queue().submit([(append(id), id)]), id == 1, "it wakes the task");
    }
    assert_eq!(notices_by_now(&mut fixture.notices), []);
    assert_eq!(results(&mut fixture.notices).await, all(1..4, "at 1"), "in one batch");
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_is_unknown_in_place_is_found_out_by_the_task() {
    for answer in [Answer::Say(Err(unknown())), Answer::Panic] {
        let mut fixture = idle().await;
        fixture.store.answer_at_once(answer);
        assert!(fixture.writer.queue().submit_alone([(append(2), 2)]));
        assert_eq!(notices_by_now(&mut fixture.notices), []);
        let (batch, answer) = next(&mut fixture.calls).await.resolve();
        assert_eq!(ids(&batch.appends), [2]);
        answer.send(Answer::Say(Ok(vec![Resolution::Stored(appended(7))]))).unwrap();
        assert_eq!(results(&mut fixture.notices).await, all([2], "at 7"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_refused_in_place_is_halved_by_the_task() {
    let mut fixture = idle().await;
    fixture.store.answer_at_once(Answer::Say(Err(StoreError::invalid("no"))));
    fixture.store.answer_at_once(stored());
    fixture.store.answer_at_once(Answer::Say(Err(StoreError::invalid("no"))));
    fixture.writer.queue().submit_alone([(append(2), 2), (append(3), 3)]);
    assert_eq!(results(&mut fixture.notices).await, all([2], "at 1"));
    assert_eq!(results(&mut fixture.notices).await, all([3], "invalid"));
    assert_eq!(fixture.writer.queue().pending(), Weight::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_in_place_is_settled_when_the_writer_is_not_waited_for() {
    let mut fixture = idle().await;
    fixture.writer.queue().submit_alone([(append(1), 1)]);
    let (_, answer) = fixture.calls.try_recv().expect("it is on its way").write();
    let left = fixture.writer.drain(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(left, Undrained { unsent: 0, unknown: 1 });
    assert_eq!(results(&mut fixture.notices).await, all([1], "unknown"));
    assert!(answer.is_closed(), "the store's future is gone too");
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_in_place_is_finished_when_the_writer_is_dropped() {
    let mut fixture = idle().await;
    fixture.writer.queue().submit_alone([(append(1), 1)]);
    drop((fixture.writer, fixture.store));
    let (_, answer) = next(&mut fixture.calls).await.write();
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    assert_eq!(results(&mut fixture.notices).await, all([1], "unavailable"));
    assert!(is_over(&mut fixture.calls).await);
}

/// A sink that keeps what it is notified of, by any thread.
#[derive(Default)]
struct Collector(Mutex<Vec<(u32, String)>>);

impl CommitSink<u32> for Collector {
    fn committed(&self, _: Partition, results: Vec<(u32, Result<Committed, CommitError>)>) {
        self.0.lock().unwrap().extend(results.iter().map(|(id, result)| (*id, word(result))));
    }
    fn fenced(&self, _: Incarnation) {}
    fn lost(&self, _: &StoreError) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submitters_on_many_threads_get_every_write_settled_once() {
    const EACH: u32 = 2_000;
    let (store, _calls) = Journal::new();
    (0..4 * EACH).for_each(|_| store.answer_at_once(stored()));
    let sink = Arc::new(Collector::default());
    let settings = GroupCommitSettings::default().with_batch_events_max(1);
    let (lane, incarnation) = (Lane::new(0), Incarnation::new(5));
    let writer = LaneWriter::spawn(store, lane, incarnation, settings, Arc::clone(&sink) as _);
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let queue = Arc::clone(writer.queue());
            std::thread::spawn(move || {
                for id in thread * EACH..(thread + 1) * EACH {
                    queue.submit_alone([(append(id), id)]); // none of them is
                }
            })
        })
        .collect();
    tokio::task::spawn_blocking(move || {
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    })
    .await
    .unwrap();
    writer.drain(Duration::from_mins(1)).await.unwrap();
    let mut settled = std::mem::take(&mut *sink.0.lock().unwrap());
    settled.sort_unstable();
    assert_eq!(settled, all(0..4 * EACH, "at 1"));
}
