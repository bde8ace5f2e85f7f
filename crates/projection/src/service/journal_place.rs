use actum_model::{Lane, Position};
use async_trait::async_trait;

/// A place among those who read the journal, for one projection.
#[async_trait]
pub trait JournalPlace: Send + Sync + 'static {
    /// It has read a lane up to here, and saved that.
    fn has_read(&self, lane: Lane, position: Position);

    /// Waits until it is asked to end.
    async fn ending(&self);
}
