use actum_model::Offset;
use async_trait::async_trait;
use std::sync::Arc;

/// A place among those who read the journal, for one projection or subscription. Its reader has ended when it is dropped.
#[async_trait]
pub trait JournalPlace: Send + Sync + 'static {
    /// It has read up to here, and saved that: what is behind it is kept. It goes back where events are to be read again.
    fn has_read(&self, offset: &Offset);

    /// Waits until it is asked to end.
    async fn ending(&self);
}

/// Those who read the journal, among whom one more may enter.
pub trait JournalPlaces: Send + Sync + 'static {
    /// Enters a reader of this name, which needs all events to be kept until it says how far it has read, if it
    /// `needs_events`. None once all are asked to end.
    fn enter(&self, name: &str, needs_events: bool) -> Option<Arc<dyn JournalPlace>>;
}
