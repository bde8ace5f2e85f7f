use actum_persistence::progress::ProgressStore;
use async_trait::async_trait;
use std::sync::Arc;

/// One place where progress is kept, and how the suite gets at it.
///
/// It is created empty, and dropped after the case. Failures of the fixture itself panic.
#[async_trait]
pub trait ProgressFixture: Send + Sync + 'static {
    /// Whether it can be had on this machine; true by default. Where it cannot, because there is no server say, the fixture
    /// returns that and the cases are skipped.
    fn is_available(&self) -> bool {
        true
    }

    /// Opens it, as one more process would: what it returns shares no memory of its own with what earlier calls returned,
    /// those are not closed, and both can be used side by side.
    async fn open(&self) -> Arc<dyn ProgressStore>;
}
