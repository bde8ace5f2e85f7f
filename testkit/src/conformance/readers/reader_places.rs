use actum_model::Offset;
use actum_projection::{JournalPlace, JournalPlaces};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

/// The places of a process among those who read the journal.
pub(super) struct ReaderPlaces(watch::Sender<bool>);

/// One of them.
struct ReaderPlace(watch::Receiver<bool>);

impl ReaderPlaces {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(watch::channel(false).0))
    }

    /// Asks all of them to end.
    pub(super) fn end(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn place(&self) -> Arc<dyn JournalPlace> {
        Arc::new(ReaderPlace(self.0.subscribe()))
    }
}

impl JournalPlaces for ReaderPlaces {
    fn enter(&self, _: &str, _: bool) -> Option<Arc<dyn JournalPlace>> {
        (!*self.0.borrow()).then(|| self.place())
    }
}

#[async_trait]
impl JournalPlace for ReaderPlace {
    fn has_read(&self, _: &Offset) {}

    async fn ending(&self) {
        let mut ending = self.0.clone();
        let _ = ending.wait_for(|ending| *ending).await; // it has ended as well when the process is dropped
    }
}
