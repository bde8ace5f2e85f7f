//! Two nodes that write to one lane at the same time.

use crate::{
    bounded::{run_on, within},
    fixture::PostgresFixture,
    gate::Gate,
    reader::{journal, text_of, texts},
    writer::{Writer, account},
};
use actum_model::{Lane, Position};
use actum_persistence::store::{EventFilter, EventStore, PageLimit};
use actum_store_postgres::{PostgresSettings, PostgresStore};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Barrier;

/// The two ways a call commits.
fn modes() -> [PostgresFixture; 2] {
    let settings = PostgresSettings::default();
    let pooled = settings.clone().with_transaction_pooling(true);
    [PostgresFixture::with(settings), PostgresFixture::with(pooled)]
}

async fn nodes(journal: &PostgresFixture) -> [Writer; 2] {
    [
        Writer::claim_slot(Arc::new(journal.store().await), "one").await,
        Writer::claim_slot(Arc::new(journal.store().await), "two").await,
    ]
}

#[test]
fn batches_of_two_nodes_take_turns_and_readers_never_see_a_hole() {
    for fixture in modes() {
        run_on(fixture, async |fixture| {
            let stop = Arc::new(AtomicBool::new(false));
            let mut readers = Vec::new();
            for _ in 0..2 {
                readers.push(tokio::spawn(poll(fixture.store().await, Arc::clone(&stop))));
            }
            let writers: Vec<_> = nodes(fixture).await.into_iter().zip(0..).collect();
            let meeting = Arc::new(Barrier::new(2));
            let writing = writers.iter().cloned().map(|(writer, node)| {
                let meeting = Arc::clone(&meeting);
                tokio::spawn(async move { write_batches(&writer, node, &meeting).await })
            });
            for writing in writing.collect::<Vec<_>>() {
                within(Duration::from_secs(60), "writing", writing).await.unwrap();
            }
            stop.store(true, Ordering::Release);
            let stored = journal(&writers[0].0.store).await;
            let stored: Vec<_> = stored.iter().map(text_of).collect();
            for reader in readers {
                assert!(
                    reader.await.unwrap() == stored,
                    "readers see what is stored, in its order"
                );
            }
            assert_batches_in_one_piece(&stored);
        });
    }
}

const BATCHES: usize = 150;
const APPENDS: usize = 7;

async fn write_batches(writer: &Writer, node: usize, meeting: &Barrier) {
    for batch in 0..BATCHES {
        if batch % 5 == 0 {
            meeting.wait().await;
        }
        let text = format!("{node}/{batch}");
        let entities = (0..APPENDS).map(|nr| account(1_000 * node + nr));
        let appends = entities.map(|key| writer.append(&key, batch as u64, &[&text]));
        writer.store.append(&writer.batch(appends.collect())).await.unwrap();
    }
}

fn assert_batches_in_one_piece(stored: &[String]) {
    assert_eq!(stored.len(), 2 * BATCHES * APPENDS);
    let mut next = [0, 0];
    for batch in stored.chunks(APPENDS) {
        assert!(batch.iter().all(|text| *text == batch[0]), "{batch:?}");
        let (node, nr) = batch[0].split_once('/').unwrap();
        let next = &mut next[node.parse::<usize>().unwrap()];
        assert_eq!(nr.parse::<usize>().unwrap(), *next, "a node's batches stay in their order");
        *next += 1;
    }
    let changes = stored.windows(2).filter(|pair| pair[0].as_bytes()[0] != pair[1].as_bytes()[0]);
    assert!(changes.count() >= BATCHES / 5, "the nodes have not met");
}

/// Reads a lane to its end again and again; each position must come right behind the one before.
async fn poll(store: PostgresStore, stop: Arc<AtomicBool>) -> Vec<String> {
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    let mut texts = Vec::new();
    loop {
        let is_last = stop.load(Ordering::Acquire);
        let after = Position::new(texts.len() as u64);
        let page = store.read_lane(Lane::default(), after, &filter, limit).await.unwrap();
        for event in page.events {
            assert_eq!(event.event.position.get(), texts.len() as u64 + 1, "a hole");
            texts.push(text_of(&event));
        }
        assert_eq!(page.read_to.get(), texts.len() as u64, "a page ends at its last event");
        if is_last && page.read_to == after {
            return texts;
        }
    }
}

#[test]
fn a_node_that_is_held_before_its_commit_holds_back_the_other_and_shows_readers_no_gap() {
    for journal in modes() {
        run_on(journal, async |journal| {
            let mut gate = Gate::build(journal).await;
            let reader = journal.store().await;
            let [one, two] = nodes(journal).await;
            one.write(&account(1), 0, "before").await;
            gate.shut().await;
            let held = one.spawn_write(&account(1), 1, "first");
            gate.holds(1).await;
            let mut behind = two.spawn_write(&account(2), 0, "second");
            for _ in 0..50 {
                assert_eq!(texts(&reader).await, ["before"]);
                assert_eq!(reader.heads().await.unwrap().positions(), [Position::new(1)]);
                assert!(!held.is_finished() && !behind.is_finished());
            }
            gate.open().await;
            assert_eq!(held.await.unwrap().unwrap(), Position::new(2));
            assert_eq!((&mut behind).await.unwrap().unwrap(), Position::new(3));
            assert_eq!(texts(&reader).await, ["before", "first", "second"]);
        });
    }
}
