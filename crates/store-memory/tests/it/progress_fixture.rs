use actum_persistence::progress::ProgressStore;
use actum_store_memory::MemoryTarget;
use actum_testkit::conformance::progress::ProgressFixture;
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
