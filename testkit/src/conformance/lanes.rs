//! Journals of several lanes. The cases run with four.

use super::{
    StoreFixture,
    reading::{events_of, head, lane_events},
    refusal::{assert_fenced, assert_invalid, until_available},
    sample::{account, accounts, events},
    writer::{Writer, lane_of},
};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{
    AppendOutcome, EntityRead, EventFilter, JournalEvent, PageLimit, Stores,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Positions are dense in each lane, and each lane shows its own entities only.
pub async fn each_lane_is_dense_on_its_own(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let lanes = by_lane(&stores, 400);
    for (round, size) in [(0, 1), (1, 2)] {
        for keys in &lanes {
            let appends = keys.iter().map(|key| writer.append(key, round, events(size)));
            writer.store(appends.collect()).await.expect("the store accepts the batch");
        }
    }
    for (lane, keys) in lanes.iter().enumerate() {
        let lane = Lane::new(lane as u16);
        let seen = all_of(&stores, lane).await;
        assert_eq!(seen.len(), 3 * keys.len());
        for (event, nr) in seen.iter().zip(1..) {
            assert_eq!(event.event.position, Position::new(nr), "lane {lane}");
            assert_eq!(lane_of(stores.events.as_ref(), &event.entity), lane);
        }
    }
}

/// Heads have one position a lane, and an append moves the one of its own lane.
pub async fn an_append_moves_the_head_of_its_own_lane(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let mut heads = [0; 4];
    for key in accounts(40) {
        writer.write(&key, 0, 3).await;
        heads[lane_of(stores.events.as_ref(), &key).index()] += 3;
        let now = stores.events.heads().await.expect("the heads can be read");
        assert_eq!(now.positions(), heads.map(Position::new));
    }
    assert!(heads.iter().all(|head| *head > 0), "the example uses every lane: {heads:?}");
}

/// A batch with an entity of another lane is refused as a whole, and so is one for a lane that does not exist.
pub async fn an_entity_of_another_lane_makes_a_batch_invalid(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let lanes = by_lane(&stores, 100);
    for place in [0, 10, 20] {
        let mut appends: Vec<_> =
            lanes[0][..20].iter().map(|key| writer.append(key, 0, events(1))).collect();
        appends.insert(place, writer.append(&lanes[1][0], 0, events(1)));
        let batch = actum_persistence::store::AppendBatch {
            lane: Lane::new(0),
            incarnation: writer.incarnation,
            appends,
        };
        assert_invalid(stores.events.append(&batch).await);
    }
    for lane in [1, 2, 4, u16::MAX] {
        let mut batch = writer.batch(vec![writer.append(&lanes[0][0], 0, events(1))]);
        batch.lane = Lane::new(lane);
        assert_invalid(stores.events.append(&batch).await);
    }
    let heads = stores.events.heads().await.expect("the heads can be read");
    assert_eq!(heads.positions(), [Position::ZERO; 4]);
}

/// A lane that does not exist cannot be read.
pub async fn a_lane_the_journal_does_not_have_cannot_be_read(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    for lane in [4, u16::MAX] {
        let page = stores.events.read_lane(Lane::new(lane), Position::ZERO, &filter, limit).await;
        assert_invalid(page);
    }
}

/// Entities of all lanes are read in one call.
pub async fn one_read_reaches_entities_of_every_lane(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let keys = accounts(60);
    for (nr, key) in keys.iter().enumerate() {
        writer.write(key, 0, nr % 4 + 1).await;
    }
    let reads = keys.iter().map(|key| EntityRead { entity: key.clone(), after: SequenceNr::ZERO });
    let reads: Vec<_> = reads.collect();
    let pages = stores.events.read_entities(&reads, PageLimit::default()).await;
    for (nr, page) in pages.expect("entities can be read").iter().enumerate() {
        assert_eq!(page.events.len(), nr % 4 + 1, "{}", keys[nr]);
    }
}

/// Tasks append to all lanes at once; each lane stays dense, and a revoke ends the writer in all of them.
pub async fn lanes_are_written_side_by_side_under_one_fence(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Arc::new(Writer::claim(&stores).await);
    let mut tasks = JoinSet::new();
    for task in 0..16 {
        let writer = Arc::clone(&writer);
        tasks.spawn(async move {
            let key = account(task);
            for expected in 0..20 {
                let stored = until_available!(writer.store_one(&key, expected, events(1)));
                let stored = stored.expect("the store accepts the batch");
                assert!(matches!(stored, AppendOutcome::Appended { .. }), "{stored:?}");
            }
        });
    }
    tasks.join_all().await;
    for lane in 0..4 {
        let seen = all_of(&stores, Lane::new(lane)).await;
        let dense = seen.iter().zip(1..).all(|(e, nr)| e.event.position == Position::new(nr));
        assert!(dense, "lane {lane}");
    }
    stores.writers.revoke(writer.incarnation).await.expect("a writer can be revoked");
    for key in accounts(16) {
        let stored = writer.store_one(&key, 20, events(1)).await;
        assert_fenced(stored, writer.incarnation);
        assert_eq!(events_of(&stores, &key).await.len(), 20);
    }
}

/// Lanes, heads and numbers are what they were when the journal is opened again.
pub async fn lanes_go_on_when_the_journal_is_opened_again(fixture: &dyn StoreFixture) {
    let mut heads = [0; 4];
    for round in 0..3 {
        let stores = fixture.open().await;
        assert_eq!(stores.events.layout().lanes.get(), 4);
        let writer = Writer::claim(&stores).await;
        for key in accounts(20) {
            let lane = lane_of(stores.events.as_ref(), &key);
            heads[lane.index()] += 1;
            let last = writer.write(&key, round, 1).await;
            assert_eq!(last, Position::new(heads[lane.index()]), "lane {lane}");
            assert_eq!(head(&stores, lane).await, last);
        }
        stores.writers.release(writer.incarnation).await.expect("a slot can be released");
        stores.close().await;
    }
}

/// Accounts of each lane.
fn by_lane(stores: &Stores, count: usize) -> [Vec<EntityKey>; 4] {
    let mut lanes = [const { Vec::new() }; 4];
    for key in accounts(count) {
        lanes[lane_of(stores.events.as_ref(), &key).index()].push(key);
    }
    lanes
}

async fn all_of(stores: &Stores, lane: Lane) -> Vec<JournalEvent> {
    let (filter, limit) = (EventFilter::default(), PageLimit::default());
    lane_events(stores, lane, Position::ZERO, &filter, limit).await
}
