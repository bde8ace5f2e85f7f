use actum_persistence::progress::ProgressStore;
use actum_store_memory::{MemoryRows, MemoryTarget};
use actum_testkit::conformance::{exact_target::ExactTargetFixture, progress::ProgressFixture};
use async_trait::async_trait;
use std::sync::Arc;

/// Progress in memory, with rows beside it.
pub(crate) struct TargetFixture(MemoryTarget);

impl TargetFixture {
    pub(crate) async fn create() -> Self {
        Self(MemoryTarget::new())
    }
}

#[async_trait]
impl ProgressFixture for TargetFixture {
    async fn open(&self) -> Arc<dyn ProgressStore> {
        Arc::new(self.0.reopen())
    }
}

#[async_trait]
impl ExactTargetFixture for TargetFixture {
    type Target = MemoryTarget;

    async fn open(&self) -> MemoryTarget {
        self.0.reopen()
    }

    async fn write(&self, rows: &mut MemoryRows, key: &str, value: &str) {
        rows.insert(key, value);
    }

    async fn read(&self, rows: &mut MemoryRows, key: &str) -> Option<String> {
        rows.get(key).map(|bytes| String::from_utf8(bytes).unwrap())
    }
}
