use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that pages may take in memory, of all who read through one feed.
#[derive(Clone, Debug)]
pub(crate) struct RoomForBytes {
    left: Arc<Semaphore>,
    kib_max: u32,
}

impl RoomForBytes {
    pub(crate) fn new(bytes: usize) -> Self {
        let kib_max = kib(bytes);
        Self { left: Arc::new(Semaphore::new(kib_max as usize)), kib_max }
    }

    /// How much room there is for all.
    pub(crate) fn bytes_max(&self) -> usize {
        self.kib_max as usize * 1024
    }

    /// Waits until there is room for so many bytes, or for all there can be; it is given back when what it returns is
    /// dropped. First come, first served.
    pub(crate) async fn take(&self, bytes: usize) -> OwnedSemaphorePermit {
        let taken = Arc::clone(&self.left).acquire_many_owned(kib(bytes).min(self.kib_max)).await;
        taken.expect("the semaphore is never closed")
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 4)
}
