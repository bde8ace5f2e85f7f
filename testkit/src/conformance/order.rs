//! The journal's order, seen by readers while many write.

use super::{
    StoreFixture,
    reading::{at_most, head, journal},
    refusal::until_available,
    sample::{account, events},
    seed,
    writer::Writer,
};
use actum_model::{Lane, Position};
use actum_persistence::store::{AppendOutcome, EventFilter, EventId, StoreError, Stores};
use fastrand::Rng;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::task::{JoinSet, yield_now};

const WRITERS: usize = 64;
const APPENDS_EACH: usize = 20;

/// Writers of several tasks and two slots append at their own pace while readers follow. Every reader sees every event
/// once, position after position, and nothing at or before a position it has passed.
pub async fn every_reader_sees_every_event_once_and_in_order(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let mut rng = seed::random();
    let slots = [
        Arc::new(Writer::claim_slot(&stores, "one").await),
        Arc::new(Writer::claim_slot(&other, "two").await),
    ];
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let mut readers = JoinSet::new();
    for (nr, handle) in [&stores, &other, &stores, &other].into_iter().enumerate() {
        readers.spawn(follow(handle.clone(), Arc::clone(&writing), 1 << (3 * nr), rng.fork()));
    }
    let mut writers = JoinSet::new();
    for task in 0..WRITERS {
        let (writer, writing) = (Arc::clone(&slots[task % 2]), Arc::clone(&writing));
        writers.spawn(append_slowly(writer, writing, task, rng.fork()));
    }
    let mut written: Vec<EventId> = writers.join_all().await.concat();
    written.sort();
    for mut seen in readers.join_all().await {
        seen.sort();
        assert_eq!(seen, written, "a reader missed an event or saw one twice");
    }
}

/// The moment an append is confirmed, a reader that stands right before its last event finds it there, no matter who
/// else is writing.
pub async fn a_confirmed_event_is_in_the_next_read(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let writer = Arc::new(Writer::claim(&stores).await);
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let (writer, other) = (Arc::clone(&writer), other.clone());
        tasks.spawn(async move {
            for expected in 0..20 {
                let position = append(&writer, task, expected, 1).await;
                let before = Position::new(position.get() - 1);
                let (filter, limit) = (EventFilter::default(), at_most(1));
                let page = other.events.read_lane(Lane::default(), before, &filter, limit).await;
                let page = page.expect("the lane can be read");
                assert_eq!(page.events[0].event.position, position);
                assert_eq!(page.events[0].entity, account(task));
                assert!(head(&other, Lane::default()).await >= position);
            }
        });
    }
    tasks.join_all().await;
}

/// Conflicts, invalid batches and fenced writers in between take no position.
pub async fn positions_stay_dense_whatever_is_refused_in_between(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Arc::new(Writer::claim_slot(&stores, "ours").await);
    let stale = Arc::new(Writer::claim_slot(&stores, "stale").await);
    stores.writers.revoke(stale.incarnation).await.expect("a writer can be revoked");
    let mut rng = seed::random();
    let mut tasks = JoinSet::new();
    for task in 0..12 {
        let (writer, stale, mut rng) = (Arc::clone(&writer), Arc::clone(&stale), rng.fork());
        tasks.spawn(async move {
            let mut expected = 0;
            for _ in 0..25 {
                let count = rng.usize(1..4);
                match rng.u8(..6) {
                    0 => refused(&writer, task, expected + 1, count).await,
                    1 => refused(&writer, task, expected, 0).await,
                    2 => refused(&stale, task, expected, count).await,
                    _ => {
                        append(&writer, task, expected, count).await;
                        expected += count as u64;
                    }
                }
            }
            expected
        });
    }
    let stored: u64 = tasks.join_all().await.into_iter().sum();
    let positions = journal(&stores).await.into_iter().map(|event| event.event.position.get());
    assert!(positions.eq(1..=stored), "positions 1 to {stored} without a gap");
}

/// Reads until all writers are done and the lane has nothing more, and returns what it saw.
async fn follow(
    stores: Stores,
    writing: Arc<AtomicUsize>,
    page_events: u32,
    mut rng: Rng,
) -> Vec<EventId> {
    let (filter, limit) = (EventFilter::default(), at_most(page_events));
    let (mut seen, mut after) = (Vec::new(), Position::ZERO);
    loop {
        // asked before the read: what is written before the last writer ends is in that read
        let last_read = writing.load(Ordering::SeqCst) == 0;
        let page = stores.events.read_lane(Lane::default(), after, &filter, limit).await;
        let page = page.expect("the lane can be read");
        let from = after;
        for event in page.events {
            assert_eq!(event.event.position, after.plus(1), "a gap, or an event that came late");
            after = event.event.position;
            seen.push(event.event.event_id);
        }
        assert_eq!(page.read_to, after, "a page without a filter ends at its last event");
        if last_read && after == from {
            return seen;
        }
        linger(&mut rng).await;
    }
}

/// Appends to an entity of its own, pausing now and then, and returns the ids of its events.
async fn append_slowly(
    writer: Arc<Writer>,
    writing: Arc<AtomicUsize>,
    task: usize,
    mut rng: Rng,
) -> Vec<EventId> {
    let (mut ids, mut expected) = (Vec::new(), 0);
    for _ in 0..APPENDS_EACH {
        let new = writer.append(&account(task), expected, events(rng.usize(1..4)));
        ids.extend((0..new.events.len()).map(|at| new.event_id(writer.incarnation, at)));
        expected = new.last_sequence_nr().get();
        let batch = writer.batch(vec![new]);
        let stored = until_available!(writer.stores.events.append(&batch));
        let stored = stored.expect("the store accepts the batch");
        assert!(matches!(stored[..], [AppendOutcome::Appended { .. }]), "{stored:?}");
        linger(&mut rng).await;
    }
    writing.fetch_sub(1, Ordering::SeqCst);
    ids
}

async fn append(writer: &Writer, task: usize, expected: u64, count: usize) -> Position {
    let key = account(task);
    let stored = until_available!(writer.store_one(&key, expected, events(count)));
    match stored.expect("the store accepts the batch") {
        AppendOutcome::Appended { last } => last,
        refused => panic!("{key} is expected at {expected}: {refused:?}"),
    }
}

async fn refused(writer: &Writer, task: usize, expected: u64, count: usize) {
    let key = account(task);
    let stored = until_available!(writer.store_one(&key, expected, events(count)));
    match stored {
        Ok(AppendOutcome::Conflict { .. })
        | Err(StoreError::Invalid { .. } | StoreError::Fenced { .. }) => {}
        other => panic!("should be refused: {other:?}"),
    }
}

async fn linger(rng: &mut Rng) {
    for _ in 0..rng.usize(..20) {
        yield_now().await;
    }
}
