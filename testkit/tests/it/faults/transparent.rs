//! Where nothing goes wrong, a fault store is the store below it: it passes the conformance suite.

use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{JournalLayout, Stores};
use actum_store_memory::MemoryStore;
use actum_testkit::{FaultStore, Rates, conformance::StoreFixture};
use async_trait::async_trait;
use std::time::Duration;

struct Fixture(MemoryStore);

impl Fixture {
    async fn create(layout: JournalLayout) -> Self {
        Self(MemoryStore::with_layout(layout))
    }
}

#[async_trait]
impl StoreFixture for Fixture {
    async fn open(&self) -> Stores {
        let store = FaultStore::new(self.0.reopen());
        // going slowly is nothing wrong
        store.faults().chance(7, Rates::default().with_delayed(0.3));
        Stores::of(store)
    }

    async fn pass_time(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }

    async fn advance_lane(&self, lane: Lane, to: Position) {
        self.0.advance_lane(lane, to);
    }

    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        self.0.advance_entity(entity, to);
    }
}

actum_testkit::store_conformance!(Fixture::create);
