use actum_model::{Lane, Offset, Position};
use actum_projection::JournalPlace;
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::watch;

/// A place among the readers of a journal that has no engine.
pub(crate) struct Place {
    ending: watch::Sender<bool>,
    read: Mutex<Option<Offset>>,
}

impl Place {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { ending: watch::channel(false).0, read: Mutex::default() })
    }

    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    pub(crate) fn read_to(&self, lane: Lane) -> Position {
        self.read.lock().as_ref().map(|read| read.position(lane)).unwrap_or_default()
    }
}

#[async_trait]
impl JournalPlace for Place {
    fn has_read(&self, offset: &Offset) {
        *self.read.lock() = Some(offset.clone());
    }

    async fn ending(&self) {
        let mut ending = self.ending.subscribe();
        let _ = ending.wait_for(|ending| *ending).await;
    }
}
