use super::{
    gate_store::{Answer, Calls, Journal, States},
    patience::{is_over, next},
    recorder::{Notice, Recorder, results},
    writes::{all, append, append_of, appended, ids, state_write, unavailable, unknown},
};
use actum_model::{Lane, Partition, Revision};
use actum_persistence::{
    Weight,
    group_commit::{
        CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter, StateWriter,
    },
    store::{
        AppendBatch, AppendOutcome, EntityAppend, Incarnation,
        Resolution::{NotStored, Stored},
        StateOutcome, StoreError,
    },
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc::{Receiver, error::TryRecvError},
    time::Instant,
};

pub(super) type JournalCalls = Calls<AppendBatch, AppendOutcome>;

pub(super) fn lane_writer() -> (LaneWriter<u32>, JournalCalls, Receiver<Notice>) {
    lane_writer_with(GroupCommitSettings::default())
}

fn lane_writer_with(
    settings: GroupCommitSettings,
) -> (LaneWriter<u32>, JournalCalls, Receiver<Notice>) {
    let (store, calls) = Journal::new();
    let (sink, notices) = Recorder::new();
    let writer = LaneWriter::spawn(store, Lane::new(1), Incarnation::new(5), settings, sink);
    (writer, calls, notices)
}

/// Takes the next write and stores it.
pub(super) async fn store_next(calls: &mut JournalCalls) -> Vec<u32> {
    let (batch, answer) = next(calls).await.write();
    let outcomes = vec![appended(1); batch.appends.len()];
    answer.send(Answer::Say(Ok(outcomes))).unwrap();
    ids(&batch.appends)
}

#[tokio::test(start_paused = true)]
async fn an_idle_lane_writes_at_once() {
    let (writer, mut calls, mut notices) = lane_writer();
    let started = Instant::now();
    for id in 1..4 {
        writer.queue().submit([(append(id), id)]);
        let (batch, answer) = next(&mut calls).await.write();
        assert_eq!((batch.lane, batch.incarnation), (Lane::new(1), Incarnation::new(5)));
        assert_eq!(batch.appends[0].first_event_nr, (1 << 48) + u64::from(id));
        answer.send(Answer::Say(Ok(vec![appended(7)]))).unwrap();
        assert_eq!(results(&mut notices).await, all([id], "at 7"));
    }
    assert_eq!(started.elapsed(), Duration::ZERO, "no timer holds a write back");
}

#[tokio::test(start_paused = true)]
async fn what_gathers_during_a_commit_goes_together() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (batch, answer) = next(&mut calls).await.write();
    assert_eq!(ids(&batch.appends), [1]);
    for id in 2..6 {
        writer.queue().submit([(append(id), id)]);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(calls.try_recv().map(drop), Err(TryRecvError::Empty), "two batches in flight");
    }
    answer.send(Answer::Say(Ok(vec![appended(1)]))).unwrap();
    assert_eq!(store_next(&mut calls).await, [2, 3, 4, 5]);
    assert_eq!(results(&mut notices).await, all([1], "at 1"));
    assert_eq!(results(&mut notices).await, all(2..6, "at 1"));
}

#[tokio::test(start_paused = true)]
async fn results_come_in_runs_of_one_partition() {
    let (writer, mut calls, mut notices) = lane_writer();
    let of =
        |id, partition| (EntityAppend { partition: Partition::new(partition), ..append(id) }, id);
    writer.queue().submit([of(1, 3), of(2, 3), of(3, 4), of(4, 3)]);
    store_next(&mut calls).await;
    for (partition, tickets) in [(3, vec![1, 2]), (4, vec![3]), (3, vec![4])] {
        let results = all(tickets, "at 1");
        assert_eq!(next(&mut notices).await, Notice::Committed { partition, results });
    }
}

#[tokio::test(start_paused = true)]
async fn the_batch_in_flight_counts_as_pending_until_it_settles() {
    let (writer, mut calls, mut notices) = lane_writer_with(GroupCommitSettings::default());
    let queue = Arc::clone(writer.queue());
    queue.submit([(append_of(1, &[60, 39]), 1)]);
    assert_eq!(queue.pending(), Weight { events: 2, bytes: 99 });
    let (_, answer) = next(&mut calls).await.write();
    queue.submit([(append_of(2, &[1]), 2)]);
    assert_eq!(queue.pending(), Weight { events: 3, bytes: 100 });
    queue.submit([(append_of(3, &[10]), 3)]);
    answer.send(Answer::Say(Ok(vec![appended(1)]))).unwrap();
    results(&mut notices).await;
    assert_eq!(queue.pending(), Weight { events: 2, bytes: 11 });
    assert_eq!(store_next(&mut calls).await, [2, 3]);
    results(&mut notices).await;
    assert_eq!(queue.pending(), Weight::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_resolved_with_growing_patience() {
    let settings = GroupCommitSettings::default()
        .with_resolve_attempts_max(6)
        .with_resolve_backoff_max(Duration::from_millis(300));
    let (writer, mut calls, mut notices) = lane_writer_with(settings);
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let mut since = Instant::now();
    for wait in [0, 50, 100, 200, 300, 300] {
        let (batch, answer) = next(&mut calls).await.resolve();
        assert_eq!(since.elapsed(), Duration::from_millis(wait));
        assert_eq!(batch.appends[0].first_event_nr, (1 << 48) + 1);
        since = Instant::now();
        answer.send(Answer::Say(Err(unavailable()))).unwrap();
    }
    assert_eq!(results(&mut notices).await, all([1], "unknown"));
    writer.queue().submit([(append(1), 2)]);
    assert_eq!(store_next(&mut calls).await, [1], "the lane goes on");
}

#[tokio::test(start_paused = true)]
async fn a_resolved_batch_settles_each_write() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit((1..3).map(|id| (append(id), id)));
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Ok(vec![NotStored, Stored(appended(4))]))).unwrap();
    let expected = vec![(1, "unavailable".to_owned()), (2, "at 4".to_owned())];
    assert_eq!(results(&mut notices).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_writer_says_so_once_after_the_results() {
    let (writer, mut calls, mut notices) = lane_writer();
    let incarnation = Incarnation::new(5);
    for ticket in 1..4 {
        writer.queue().submit([(append(ticket), ticket)]);
        let (_, answer) = next(&mut calls).await.write();
        answer.send(Answer::Say(Err(StoreError::Fenced { incarnation }))).unwrap();
        assert_eq!(results(&mut notices).await, all([ticket], "fenced"));
        if ticket == 1 {
            assert_eq!(next(&mut notices).await, Notice::Fenced(incarnation));
        }
    }
    writer.drain(Duration::from_secs(1)).await.unwrap();
    assert!(is_over(&mut notices).await);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_lost_says_so_once_after_the_results() {
    let (writer, mut calls, mut notices) = lane_writer();
    for ticket in 1..4 {
        writer.queue().submit([(append(ticket), ticket)]);
        let (_, answer) = next(&mut calls).await.write();
        answer.send(Answer::Say(Err(StoreError::lost("no file")))).unwrap();
        assert_eq!(results(&mut notices).await, all([ticket], "lost"));
        if ticket == 1 {
            let lost = Notice::Lost("the store is lost: no file".to_owned());
            assert_eq!(next(&mut notices).await, lost);
        }
    }
    writer.drain(Duration::from_secs(1)).await.unwrap();
    assert!(is_over(&mut notices).await);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_store_turns_out_to_be_lost_is_of_unknown_outcome_at_once() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Err(StoreError::lost("no file")))).unwrap();
    assert_eq!(results(&mut notices).await, all([1], "unknown"));
    assert!(matches!(next(&mut notices).await, Notice::Lost(_)));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_leaves_the_outcome_to_be_resolved() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Panic).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Panic).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    answer.send(Answer::Say(Ok(vec![Stored(appended(3))]))).unwrap();
    assert_eq!(results(&mut notices).await, all([1], "at 3"));
    writer.queue().submit([(append(1), 2)]);
    assert_eq!(store_next(&mut calls).await, [1], "the lane goes on");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_always_panics_hangs_no_caller() {
    let (writer, mut calls, mut notices) = lane_writer();
    writer.queue().submit([(append(1), 1)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Panic).unwrap();
    for _ in 0..10 {
        let (_, answer) = next(&mut calls).await.resolve();
        answer.send(Answer::Panic).unwrap();
    }
    assert_eq!(results(&mut notices).await, all([1], "unknown"));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_stops_neither_the_writer_nor_other_partitions() {
    struct Fragile(Arc<Recorder>);
    impl CommitSink<u32> for Fragile {
        fn committed(
            &self,
            partition: Partition,
            results: Vec<(u32, Result<Committed, CommitError>)>,
        ) {
            assert_eq!(partition, Partition::new(0), "this partition is gone");
            self.0.committed(partition, results);
        }
        fn fenced(&self, _: Incarnation) {
            panic!("the node is gone")
        }
        fn lost(&self, _: &StoreError) {}
    }
    let (store, mut calls) = Journal::new();
    let (recorder, mut notices) = Recorder::new();
    let settings = GroupCommitSettings::default();
    let incarnation = Incarnation::new(5);
    let sink = Arc::new(Fragile(recorder));
    let writer = LaneWriter::spawn(store, Lane::new(0), incarnation, settings, sink);
    let gone = EntityAppend { partition: Partition::new(9), ..append(1) };
    writer.queue().submit([(gone, 1), (append(2), 2)]);
    store_next(&mut calls).await;
    assert_eq!(results(&mut notices).await, all([2], "at 1"));
    writer.queue().submit([(append(3), 3)]);
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(StoreError::Fenced { incarnation }))).unwrap();
    assert_eq!(results(&mut notices).await, all([3], "fenced"));
    writer.queue().submit([(append(4), 4)]);
    store_next(&mut calls).await;
    assert_eq!(results(&mut notices).await, all([4], "at 1"));
}

#[tokio::test(start_paused = true)]
async fn an_iterator_that_panics_leaves_the_queue_in_order() {
    let (writer, mut calls, mut notices) = lane_writer();
    let queue = writer.queue();
    let breaking = (1..).map(|id| if id < 3 { (append(id), id) } else { panic!("no more") });
    assert!(catch_unwind(AssertUnwindSafe(|| queue.submit(breaking))).is_err());
    assert_eq!(queue.pending(), Weight { events: 2, bytes: 2 });
    queue.submit([(append(7), 7)]);
    assert_eq!(store_next(&mut calls).await, [1, 2, 7]);
    assert_eq!(results(&mut notices).await, all([1, 2, 7], "at 1"));
    assert_eq!(queue.pending(), Weight::ZERO);
}

#[tokio::test(start_paused = true)]
async fn submitting_nothing_wakes_no_one() {
    let (writer, mut calls, _notices) = lane_writer();
    writer.queue().submit([]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(calls.try_recv().map(drop), Err(TryRecvError::Empty));
    writer.queue().submit([(append(1), 1)]);
    assert_eq!(store_next(&mut calls).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn states_are_written_and_resolved_like_events() {
    let (store, mut calls) = States::new();
    let (sink, mut notices) = Recorder::new();
    let settings = GroupCommitSettings::default();
    let writer = StateWriter::spawn(store, Incarnation::new(5), settings, sink);
    writer.queue().submit([(state_write(1), 1), (state_write(2), 2)]);
    let (batch, answer) = next(&mut calls).await.write();
    assert_eq!(batch.incarnation, Incarnation::new(5));
    let numbers: Vec<u64> = batch.writes.iter().map(|write| write.write_nr).collect();
    assert_eq!(numbers, [(65_535 << 48) + 1, (65_535 << 48) + 2]);
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    let conflict = StateOutcome::Conflict { actual: Revision::new(6) };
    answer.send(Answer::Say(Ok(vec![Stored(StateOutcome::Written), Stored(conflict)]))).unwrap();
    let results = vec![(1, "written".to_owned()), (2, "conflict 6".to_owned())];
    assert_eq!(next(&mut notices).await, Notice::Committed { partition: 7, results });
}
