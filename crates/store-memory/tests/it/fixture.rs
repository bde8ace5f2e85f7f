use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{JournalLayout, Stores};
use actum_store_memory::MemoryStore;
use actum_testkit::conformance::StoreFixture;
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A journal in memory that is opened again and again.
pub(crate) struct MemoryFixture(MemoryStore);

impl MemoryFixture {
    pub(crate) async fn create(layout: JournalLayout) -> Self {
        Self(MemoryStore::with_layout(layout))
    }
}

#[async_trait]
impl StoreFixture for MemoryFixture {
    async fn open(&self) -> Stores {
        Stores::of(self.0.reopen())
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

/// A journal in memory whose snapshots are kept in another store.
pub(crate) struct SeparateFixture {
    journal: MemoryFixture,
    snapshots: MemoryStore,
}

impl SeparateFixture {
    pub(crate) async fn create(layout: JournalLayout) -> Self {
        Self { journal: MemoryFixture::create(layout).await, snapshots: MemoryStore::new() }
    }
}

#[async_trait]
impl StoreFixture for SeparateFixture {
    async fn open(&self) -> Stores {
        self.journal.open().await.with_snapshots(Arc::new(self.snapshots.reopen()))
    }

    async fn pass_time(&self, time: Duration) {
        self.journal.pass_time(time).await;
    }

    async fn advance_lane(&self, lane: Lane, to: Position) {
        self.journal.advance_lane(lane, to).await;
    }

    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        self.journal.advance_entity(entity, to).await;
    }
}
