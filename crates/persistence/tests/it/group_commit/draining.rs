use super::{
    gate_store::{Answer, Journal},
    patience::{is_over, next},
    recorder::{Notice, Recorder, results},
    writer::{lane_writer, store_next},
    writes::{all, append, unavailable, unknown},
};
use actum_model::Lane;
use actum_persistence::{
    Weight,
    group_commit::{GroupCommitSettings, LaneWriter, Undrained},
    store::Incarnation,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn draining_writes_everything_that_was_submitted() {
    let (writer, mut calls, mut notices) = lane_writer();
    let queue = Arc::clone(writer.queue());
    queue.submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    queue.submit([(append(2), 2), (append(3), 3)]);
    let drained = tokio::spawn(writer.drain(PATIENCE));
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    assert_eq!(store_next(&mut calls).await, [2, 3]);
    assert_eq!(drained.await.unwrap(), Ok(()));
    assert_eq!(results(&mut notices).await, all([1], "unavailable"));
    assert_eq!(results(&mut notices).await, all(2..4, "at 1"));
}

#[tokio::test(start_paused = true)]
async fn draining_an_idle_writer_takes_no_time() {
    let (writer, _calls, _notices) = lane_writer();
    tokio::task::yield_now().await;
    let started = Instant::now();
    assert_eq!(writer.drain(PATIENCE).await, Ok(()));
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_submitted_too_late_is_unavailable_at_once() {
    let (writer, _calls, mut notices) = lane_writer();
    let queue = Arc::clone(writer.queue());
    writer.drain(PATIENCE).await.unwrap();
    queue.submit([(append(1), 1), (append(2), 2)]);
    assert_eq!(results(&mut notices).await, all(1..3, "unavailable"));
    assert_eq!(queue.pending(), Weight::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_takes_too_long_settles_what_is_left() {
    let (writer, mut calls, mut notices) = lane_writer();
    let queue = Arc::clone(writer.queue());
    queue.submit([(append(1), 1), (append(2), 2)]);
    let (_, mut answer) = next(&mut calls).await.write();
    queue.submit([(append(3), 3), (append(4), 4), (append(5), 5)]);
    let started = Instant::now();
    let left = writer.drain(PATIENCE).await.unwrap_err();
    assert_eq!(started.elapsed(), PATIENCE);
    assert_eq!(left, Undrained { unsent: 3, unknown: 2 });
    assert_eq!(
        left.to_string(),
        "3 writes were not sent to the store, and the outcome of 2 is unknown"
    );
    let expected = [all(1..3, "unknown"), all(3..6, "unavailable")].concat();
    assert_eq!(results(&mut notices).await, expected);
    assert_eq!(queue.pending(), Weight::ZERO);
    timeout(PATIENCE, answer.closed()).await.unwrap(); // the store's future is gone too
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_the_next_attempt_to_resolve() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    let left = writer.drain(Duration::from_millis(1)).await.unwrap_err();
    assert_eq!(left, Undrained { unsent: 0, unknown: 1 });
    assert_eq!(results(&mut notices).await, all([1], "unknown"));
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_dropped_still_writes_what_it_has() {
    let (writer, mut calls, mut notices) = lane_writer();
    let queue = Arc::clone(writer.queue());
    queue.submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    queue.submit([(append(2), 2)]);
    drop(writer);
    queue.submit([(append(3), 3)]);
    assert_eq!(results(&mut notices).await, all([3], "unavailable"));
    answer.send(Answer::Say(Err(unavailable()))).unwrap();
    assert_eq!(store_next(&mut calls).await, [2]);
    assert_eq!(results(&mut notices).await, all([1], "unavailable"));
    assert_eq!(results(&mut notices).await, all([2], "at 1"));
    assert!(is_over(&mut calls).await, "the task has ended and released the store");
}

#[test]
fn a_runtime_that_shuts_down_settles_everything() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (store, mut calls) = Journal::new();
    let (sink, mut notices) = Recorder::new();
    let (writer, _call) = runtime.block_on(async {
        let settings = GroupCommitSettings::default();
        let writer = LaneWriter::spawn(store, Lane::new(0), Incarnation::new(1), settings, sink);
        writer.queue().submit([(append(1), 1)]);
        let call = next(&mut calls).await;
        (writer, call)
    });
    let mut settled = || match notices.try_recv() {
        Ok(Notice::Committed { results, .. }) => results,
        other => panic!("expected results, got {other:?}"),
    };
    writer.queue().submit([(append(2), 2)]);
    drop(runtime);
    assert_eq!(settled(), [all([1], "unknown"), all([2], "unavailable")].concat());
    writer.queue().submit([(append(3), 3)]);
    assert_eq!(settled(), all([3], "unavailable"));
    assert_eq!(writer.queue().pending(), Weight::ZERO);
}
