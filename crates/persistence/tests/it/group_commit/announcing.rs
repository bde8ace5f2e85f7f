use super::{
    gate_store::{Answer, Journal, States},
    patience::{next, soon},
    recorder::{Notice, Recorder, results},
    writer::{JournalCalls, lane_writer},
    writes::{all, append, append_of, appended, state_write, unknown},
};
use actum_model::{Lane, Partition, Position, Revision, SequenceNr};
use actum_persistence::{
    commits::{LaneCommits, TailReader},
    group_commit::{
        CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter, StateWriter,
    },
    store::{
        AppendOutcome, EventFilter, EventId, Incarnation, JournalEvent, LanePage, PageLimit,
        Resolution::{NotStored, Stored, Untraceable},
        StateOutcome, StoreError,
    },
};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::Receiver;

const CONFLICT: AppendOutcome = AppendOutcome::Conflict { actual: SequenceNr::new(9) };

fn head(writer: &LaneWriter<u32>) -> u64 {
    writer.commits().head().get()
}

/// Lets the writer write these entities, one event each, and answers with these outcomes.
async fn write(
    (writer, calls, notices): &mut (LaneWriter<u32>, JournalCalls, Receiver<Notice>),
    ids: std::ops::Range<u32>,
    outcomes: Result<Vec<AppendOutcome>, StoreError>,
) {
    writer.queue().submit(ids.map(|id| (append(id), id)));
    let (_, answer) = next(calls).await.write();
    answer.send(Answer::Say(outcomes)).unwrap();
    results(notices).await;
}

fn page(tail: &TailReader, after: u64) -> Option<LanePage> {
    tail.page(Position::new(after), &EventFilter::default(), PageLimit::default())
}

fn positions(page: Option<LanePage>) -> Option<Vec<u64>> {
    Some(page?.events.iter().map(|event| event.event.position.get()).collect())
}

/// A sink that notes the head at the time of each result.
#[derive(Default)]
struct Heads {
    commits: OnceLock<Arc<LaneCommits>>,
    seen: parking_lot::Mutex<Vec<u64>>,
}

impl CommitSink<u32> for Heads {
    fn committed(&self, _: Partition, _: Vec<(u32, Result<Committed, CommitError>)>) {
        let head = self.commits.get().map_or(0, |commits| commits.head().get());
        self.seen.lock().push(head);
    }

    fn fenced(&self, _: Incarnation) {}

    fn lost(&self, _: &StoreError) {}
}

#[tokio::test(start_paused = true)]
async fn a_head_is_announced_before_the_results_of_its_commit() {
    let (store, mut calls) = Journal::new();
    let (sink, settings) = (Arc::new(Heads::default()), GroupCommitSettings::default());
    let as_sink = Arc::clone(&sink) as Arc<dyn CommitSink<u32>>;
    let writer = LaneWriter::spawn(store, Lane::new(1), Incarnation::new(5), settings, as_sink);
    assert!(sink.commits.set(Arc::clone(writer.commits())).is_ok());
    for last in [4, 8] {
        writer.queue().submit([(append(1), 1)]);
        let (_, answer) = next(&mut calls).await.write();
        answer.send(Answer::Say(Ok(vec![appended(last)]))).unwrap();
        assert_eq!(
            soon(writer.commits().behind(Position::new(last - 1))).await,
            Position::new(last)
        );
    }
    come_to_rest(&writer).await;
    assert_eq!(*sink.seen.lock(), [4, 8]);
}

/// Lets the writer come to rest.
async fn come_to_rest(writer: &LaneWriter<u32>) {
    while writer.queue().pending().events > 0 {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
}

#[tokio::test(start_paused = true)]
async fn a_head_is_that_of_the_last_append_that_was_stored() {
    let mut writer = lane_writer();
    assert_eq!(head(&writer.0), 0);
    write(&mut writer, 1..4, Ok(vec![appended(6), CONFLICT, appended(7)])).await;
    assert_eq!(head(&writer.0), 7);
    write(&mut writer, 1..3, Ok(vec![CONFLICT, CONFLICT])).await;
    assert_eq!(head(&writer.0), 7);
    write(&mut writer, 1..2, Ok(vec![appended(3)])).await;
    assert_eq!(head(&writer.0), 3, "the journal has regressed");
    write(&mut writer, 1..2, Ok(vec![appended(4)])).await;
    assert_eq!(head(&writer.0), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_committed_is_not_announced() {
    let mut writer = lane_writer();
    let incarnation = Incarnation::new(5);
    let tail = writer.0.commits().follow();
    for error in [
        StoreError::corrupt("damaged"),
        StoreError::unavailable("appending", "away"),
        StoreError::Fenced { incarnation },
    ] {
        writer.0.queue().submit([(append(1), 1)]);
        let (_, answer) = next(&mut writer.1).await.write();
        answer.send(Answer::Say(Err(error))).unwrap();
        next(&mut writer.2).await;
    }
    assert_eq!(next(&mut writer.2).await, Notice::Fenced(incarnation));
    write(&mut writer, 1..2, Ok(vec![appended(5), appended(6)])).await;
    assert_eq!(head(&writer.0), 0, "whose outcomes they are is unknown");
    assert_eq!(page(&tail, 0), None);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_resolved_is_announced_as_far_as_it_is_stored() {
    let (writer, mut calls, mut notices) = lane_writer();
    let tail = writer.commits().follow();
    writer.queue().submit((1..5).map(|id| (append(id), id)));
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    assert_eq!(head(&writer), 0);
    let why = "it was deleted".to_owned();
    let found = vec![Stored(appended(4)), NotStored, Stored(CONFLICT), Untraceable { why }];
    answer.send(Answer::Say(Ok(found))).unwrap();
    results(&mut notices).await;
    assert_eq!(head(&writer), 4);
    assert_eq!(positions(page(&tail, 3)), Some(vec![4]));
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_what_was_committed_as_a_store_would_return_it() {
    let mut writer = lane_writer();
    write(&mut writer, 1..2, Ok(vec![appended(7)])).await;
    let tail = writer.0.commits().follow();
    assert_eq!(page(&tail, 6), None, "nothing is kept while no one follows");
    writer.0.queue().submit([(append_of(1, &[3, 4]), 1), (append(2), 2), (append(3), 3)]);
    let (batch, answer) = next(&mut writer.1).await.write();
    answer.send(Answer::Say(Ok(vec![appended(9), CONFLICT, appended(10)]))).unwrap();
    assert_eq!(results(&mut writer.2).await[..1], all([1], "at 9"));
    let page = page(&tail, 7).expect("it follows what the reader has");
    assert_eq!(page.read_to, Position::new(10));
    for (event, (of, index)) in page.events.iter().zip([(0, 0), (0, 1), (2, 0)]) {
        let append = &batch.appends[of];
        let JournalEvent { entity, partition, event } = event;
        assert_eq!((entity, *partition), (&append.entity, append.partition));
        assert_eq!(event.payload, append.events[index].payload);
        assert_eq!(event.sequence_nr, SequenceNr::new(index as u64 + 1));
        let nr = append.first_event_nr + index as u64;
        assert_eq!(event.event_id, EventId { incarnation: Incarnation::new(5), nr });
    }
    assert_eq!(page.events.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn events_are_kept_until_the_last_reader_goes() {
    let mut writer = lane_writer();
    let (first, second) = (writer.0.commits().follow(), writer.0.commits().follow());
    write(&mut writer, 1..3, Ok(vec![appended(1), appended(2)])).await;
    drop(first);
    assert_eq!(positions(page(&second, 0)), Some(vec![1, 2]));
    drop(second);
    write(&mut writer, 1..2, Ok(vec![appended(3)])).await;
    let third = writer.0.commits().follow();
    assert_eq!(page(&third, 0), None);
    assert_eq!(page(&third, 2), None);
    write(&mut writer, 1..2, Ok(vec![appended(4)])).await;
    assert_eq!(positions(page(&third, 3)), Some(vec![4]));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_does_not_follow_leaves_nothing_of_what_was_before_it() {
    let mut writer = lane_writer();
    let tail = writer.0.commits().follow();
    write(&mut writer, 1..2, Ok(vec![appended(1)])).await;
    // 2 was committed in a batch whose outcome was given up
    write(&mut writer, 1..2, Ok(vec![appended(3)])).await;
    assert_eq!(page(&tail, 0), None);
    assert_eq!(positions(page(&tail, 2)), Some(vec![3]));
}

#[tokio::test(start_paused = true)]
async fn writes_of_durable_states_are_counted() {
    let (store, mut calls) = States::new();
    let (sink, mut notices) = Recorder::new();
    let settings = GroupCommitSettings::default();
    let writer = StateWriter::spawn(store, Incarnation::new(5), settings, sink);
    writer.queue().submit((1..4).map(|id| (state_write(id), id)));
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Err(unknown()))).unwrap();
    let (_, answer) = next(&mut calls).await.resolve();
    let conflict = StateOutcome::Conflict { actual: Revision::new(6) };
    let found = vec![Stored(StateOutcome::Written), Stored(conflict), NotStored];
    answer.send(Answer::Say(Ok(found))).unwrap();
    next(&mut notices).await;
    assert_eq!(soon(writer.commits().behind(0)).await, 1);
    writer.queue().submit((1..3).map(|id| (state_write(id), id)));
    let (_, answer) = next(&mut calls).await.write();
    answer.send(Answer::Say(Ok(vec![StateOutcome::Written; 2]))).unwrap();
    assert_eq!(soon(writer.commits().behind(1)).await, 3);
}
