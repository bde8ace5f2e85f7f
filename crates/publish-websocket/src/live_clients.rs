use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Those who are connected to live events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LiveClients {
    room: Arc<Semaphore>,
    max: u32,
}

impl LiveClients {
    pub(crate) fn new(max: usize) -> Self {
        let max = u32::try_from(max).unwrap_or(u32::MAX).min(MAX);
        Self { room: Arc::new(Semaphore::new(max as usize)), max }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.max as usize - self.room.available_permits()
    }

    /// Waits until there are none: behind a shutdown of the engine, until all know of it.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn closed(&self) {
        // the room is never closed
        let _ = self.room.acquire_many(self.max).await;
    }

    /// A place for one more, if there is one.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }
}

/// More than any process serves, and than [`LiveSettings`](crate::LiveSettings) allow.
const MAX: u32 = 1_000_000;
