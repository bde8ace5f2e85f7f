use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// How much commits have added to the write-ahead log, roughly: enough to know when it is worth looking.
#[derive(Debug)]
pub(crate) struct WalGrowth {
    unseen_bytes: AtomicU64,
    look_after_bytes: u64,
    look: Notify,
}

impl WalGrowth {
    /// Wakes the one that waits each time the log has grown by about `look_after_bytes`.
    pub(crate) fn new(look_after_bytes: u64) -> Self {
        Self { unseen_bytes: AtomicU64::new(0), look_after_bytes, look: Notify::new() }
    }

    /// Counts what a commit has added.
    pub(crate) fn add(&self, bytes: u64) {
        let unseen = self.unseen_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if unseen >= self.look_after_bytes {
            self.unseen_bytes.store(0, Ordering::Relaxed);
            self.look.notify_one();
        }
    }

    /// Waits until it is worth looking.
    ///
    /// # Cancel safety
    /// A wake-up is kept for the next call.
    pub(crate) async fn worth_looking(&self) {
        self.look.notified().await;
    }
}
