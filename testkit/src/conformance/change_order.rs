//! The order of changes, seen by readers while many write.

use super::{
    StoreFixture,
    change_reading::changes_of,
    patience::within_turns,
    reading::at_most,
    refusal::until_available,
    sample::{account, accounts, payload},
    seed,
    writer::Writer,
};
use actum_model::{EntityKey, Lane, Position, Revision};
use actum_persistence::store::{
    ChangeFilter, Resolution, StateChange, StateOutcome, StateWrite, StoreError, Stores,
};
use fastrand::Rng;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::task::{JoinSet, yield_now};

const WRITERS: usize = 8;
const ROUNDS: usize = 12;
/// How many entities each task has.
const ENTITIES: usize = 5;

/// Tasks of two writers put and delete states of several lanes while readers follow: each reader ends with the last state of every
/// entity, and has seen revisions of each that only grow. So nothing was committed at or before where it had read to.
pub async fn every_reader_ends_with_the_last_state_of_every_entity(fixture: &dyn StoreFixture) {
    let (stores, other) = (fixture.open().await, fixture.open().await);
    let mut rng = seed::random();
    let slots = [
        Arc::new(Writer::claim_slot(&stores, "one").await),
        Arc::new(Writer::claim_slot(&other, "two").await),
    ];
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let mut readers = JoinSet::new();
    for (nr, handle) in [&stores, &other].into_iter().enumerate() {
        for lane in stores.events.layout().lanes.iter() {
            let (handle, writing) = (handle.clone(), Arc::clone(&writing));
            let follow = follow(handle, lane, writing, 1 << (5 * nr), rng.fork());
            readers.spawn(async move { (nr, follow.await) });
        }
    }
    let mut writers = JoinSet::new();
    for task in 0..WRITERS {
        let (writer, writing) = (Arc::clone(&slots[task % 2]), Arc::clone(&writing));
        writers.spawn(write_slowly(writer, writing, task, rng.fork()));
    }
    writers.join_all().await;
    let mut seen = [const { Vec::new() }; 2];
    for (nr, of_lane) in readers.join_all().await {
        seen[nr].extend(of_lane);
    }
    let keys = accounts(WRITERS * ENTITIES);
    let records = stores.states.load(&keys).await.expect("states can be loaded");
    let last = keys.into_iter().zip(records).filter_map(|(key, record)| {
        let record = record?;
        Some((key, (record.revision, record.state.is_some())))
    });
    let last: HashMap<_, _> = last.collect();
    for seen in seen {
        assert_eq!(seen.into_iter().collect::<HashMap<_, _>>(), last, "a reader missed a change");
    }
}

/// The future of a write is dropped at some moment. What `resolve` says then holds for the changes too: what it finds is a
/// change, behind what was there, and what it does not find never becomes one.
pub async fn a_write_that_was_dropped_half_way_is_a_change_or_never_becomes_one(
    fixture: &dyn StoreFixture,
) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut rng = seed::random();
    for round in 0..40 {
        let head = changes_of(&stores, Lane::new(0)).await;
        let head = head.last().map_or(Position::ZERO, |change| change.position);
        let keys: Vec<_> = (0..rng.usize(1..20)).map(|nr| account(round * 100 + nr)).collect();
        let put = |key| writer.change(key, (0, 1), StateChange::Put(payload("state")));
        let batch = writer.state_batch(keys.iter().map(put).collect());
        let patience_max = 1 << rng.u32(1..12);
        let written = within_turns(rng.usize(..patience_max), stores.states.write(&batch)).await;
        drop(written.transpose().expect("the store accepts the batch"));
        let settled = stores.states.resolve(&batch).await.expect("the batch can be settled");
        let is_stored = settled[0] == Resolution::Stored(StateOutcome::Written);
        let behind = changes_of(&stores, Lane::new(0)).await;
        let behind = behind.iter().filter(|change| change.position > head);
        let behind: Vec<_> = behind.map(|change| change.entity.clone()).collect();
        assert_eq!(behind, if is_stored { keys } else { Vec::new() }, "round {round}");
    }
}

/// What was seen last of an entity: its revision, and whether it has a state.
type LastSeen = HashMap<EntityKey, (Revision, bool)>;

/// Reads until all writers are done and the lane has nothing more.
async fn follow(
    stores: Stores,
    lane: Lane,
    writing: Arc<AtomicUsize>,
    page_changes: u32,
    mut rng: Rng,
) -> LastSeen {
    let (all, limit) = (ChangeFilter::default(), at_most(page_changes));
    let (mut seen, mut after) = (LastSeen::new(), Position::ZERO);
    loop {
        // asked before the read: what is written before the last writer ends is in that read
        let last_read = writing.load(Ordering::SeqCst) == 0;
        let page = stores.states.read_changes(lane, after, &all, limit).await;
        let page = page.expect("changes can be read");
        for change in page.changes {
            assert!(change.position > after, "a change came late");
            let now = (change.revision, change.state.is_some());
            let before = seen.insert(change.entity.clone(), now);
            assert!(
                before.is_none_or(|before| before.0 < now.0),
                "{} has regressed, or came twice",
                change.entity
            );
        }
        if last_read && page.read_to == after {
            return seen;
        }
        after = page.read_to;
        linger(&mut rng).await;
    }
}

/// Writes some of its entities at once, pausing now and then.
async fn write_slowly(writer: Arc<Writer>, writing: Arc<AtomicUsize>, task: usize, mut rng: Rng) {
    let mut revisions = [0_u64; ENTITIES];
    for _ in 0..ROUNDS {
        let mut writes: Vec<StateWrite> = Vec::new();
        for (nr, revision) in revisions.iter_mut().enumerate() {
            if rng.bool() {
                let next = *revision + rng.u64(1..4);
                let put = StateChange::Put(payload(&next.to_string()));
                let change = if rng.u8(..4) == 0 { StateChange::Delete } else { put };
                let key = account(task * ENTITIES + nr);
                writes.push(writer.change(&key, (*revision, next), change));
                *revision = next;
            }
        }
        rng.shuffle(&mut writes);
        let batch = writer.state_batch(writes);
        let written: Result<_, StoreError> = until_available!(writer.stores.states.write(&batch));
        let written = written.expect("the store accepts the batch");
        assert!(written.iter().all(|outcome| *outcome == StateOutcome::Written), "{written:?}");
        linger(&mut rng).await;
    }
    writing.fetch_sub(1, Ordering::SeqCst);
}

async fn linger(rng: &mut Rng) {
    for _ in 0..rng.usize(..20) {
        yield_now().await;
    }
}
