//! What the writers of an engine announce beside a store: positions and events are what its readers find.

use super::{
    StoreFixture,
    sample::{accounts, events},
    writer::{Writer, lane_of},
};
use actum_model::{Lane, Partition, Position};
use actum_persistence::{
    group_commit::{CommitError, CommitSink, Committed, GroupCommitSettings, LaneWriter},
    store::{EventFilter, Incarnation, PageLimit, StoreError},
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where results go: counts them.
struct SettledCount(Semaphore);

impl CommitSink<usize> for SettledCount {
    fn committed(&self, _: Partition, results: Vec<(usize, Result<Committed, CommitError>)>) {
        self.0.add_permits(results.len());
    }

    fn fenced(&self, incarnation: Incarnation) {
        panic!("{incarnation} is the only writer");
    }

    fn lost(&self, error: &StoreError) {
        panic!("{error}");
    }
}

/// The head that a writer announces is that of its lane, and the events that it hands over are those that the store
/// returns for the same positions.
pub async fn what_is_announced_is_what_a_reader_finds(fixture: &dyn StoreFixture) {
    let stores = fixture.open().await;
    let writer = Writer::claim(&stores).await;
    let settled = Arc::new(SettledCount(Semaphore::new(0)));
    let layout = stores.events.layout();
    let spawn = |lane| {
        let (store, sink) = (Arc::clone(&stores.events), Arc::clone(&settled));
        let (incarnation, settings) = (writer.incarnation, GroupCommitSettings::default());
        LaneWriter::<usize>::spawn(store, lane, incarnation, settings, sink)
    };
    let lanes: Vec<_> = layout.lanes.iter().map(spawn).collect();
    let tails: Vec<_> = lanes.iter().map(|lane| lane.commits().follow()).collect();
    let keys = accounts(60);
    let mut expected = vec![0; keys.len()];
    for round in 0..4 {
        for (nr, key) in keys.iter().enumerate() {
            let conflicts = (nr + round).is_multiple_of(7);
            let count = 1 + nr % 3;
            let at = if conflicts { 100 } else { expected[nr] };
            let append = writer.append(key, at, events(count));
            lanes[lane_of(&*stores.events, key).index()].queue().submit([(append, nr)]);
            expected[nr] += if conflicts { 0 } else { count as u64 };
        }
        let all = u32::try_from(keys.len()).expect("they are few");
        settled.0.acquire_many(all).await.expect("it is not closed").forget();
    }
    let heads = stores.events.heads().await.expect("the heads can be read");
    for (nr, tail) in (0..).zip(&tails) {
        let (lane, all) = (Lane::new(nr), EventFilter::default());
        assert_eq!(tail.commits().head(), heads.position(lane), "lane {lane}");
        let page = tail.page(Position::ZERO, &all, PageLimit::default());
        let stored = stores.events.read_lane(lane, Position::ZERO, &all, PageLimit::default());
        let stored = stored.await.expect("the lane can be read");
        assert!(!stored.events.is_empty(), "the example uses every lane");
        assert_eq!(page, Some(stored), "lane {lane}");
    }
}
