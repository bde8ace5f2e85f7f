use actum_model::EntityKey;
use actum_persistence::{
    panics::{guarded, log_safely},
    store::{Incarnation, Snapshot, StoreError, Stores},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Notify;

/// Saves snapshots behind the entities' backs, and afterwards deletes what they make superfluous.
///
/// Nobody waits for a snapshot, so a queue that is full lets the newest go: the entity takes another one later.
pub(crate) struct Saver {
    waiting: Mutex<Waiting>,
    more: Notify,
    closing: AtomicBool,
    /// How many snapshots were not saved.
    lost: AtomicUsize,
    bytes_max: usize,
    retention: HashMap<&'static str, Retention>,
}

#[derive(Default)]
struct Waiting {
    snapshots: VecDeque<Snapshot>,
    bytes: usize,
}

/// What is kept of the entities of one kind once a snapshot is confirmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    pub(crate) keep_snapshots: NonZeroU32,
    pub(crate) delete_events: bool,
}

/// How many snapshots are saved in one transaction.
const BATCH_MAX: usize = 64;

impl Saver {
    pub(crate) fn new(bytes_max: usize, retention: HashMap<&'static str, Retention>) -> Self {
        Self {
            waiting: Mutex::default(),
            more: Notify::new(),
            closing: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
            bytes_max,
            retention,
        }
    }

    pub(crate) fn submit(&self, snapshots: impl Iterator<Item = Snapshot>) {
        let mut waiting = self.waiting.lock();
        for snapshot in snapshots {
            let bytes = snapshot.state.bytes.len() + snapshot.recent_commands.len();
            if waiting.bytes + bytes > self.bytes_max {
                self.lose(1);
                tracing::warn!(entity = %snapshot.entity, "snapshot skipped, too many bytes of snapshots wait");
                continue;
            }
            waiting.bytes += bytes;
            waiting.snapshots.push_back(snapshot);
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// How many snapshots were not saved so far, because that failed or there was no room for them.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Acquire)
    }

    fn lose(&self, snapshots: usize) {
        self.lost.fetch_add(snapshots, Ordering::AcqRel);
    }

    /// Lets the task end once everything that waits is saved.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.more.notify_one();
    }

    /// Saves snapshots until closed.
    pub(crate) async fn run(&self, stores: Stores, incarnation: Incarnation) {
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                if self.closing.load(Ordering::Acquire) {
                    return;
                }
                self.more.notified().await;
                continue;
            }
            if let Err(panic) = guarded(self.save(&batch, &stores, incarnation)).await {
                let snapshots = batch.len();
                self.lose(snapshots);
                log_safely(|| {
                    tracing::error!(snapshots, panic, "store panicked while saving snapshots");
                });
            }
        }
    }

    fn next_batch(&self) -> Vec<Snapshot> {
        let mut waiting = self.waiting.lock();
        let count = waiting.snapshots.len().min(BATCH_MAX);
        let batch: Vec<Snapshot> = waiting.snapshots.drain(..count).collect();
        let bytes: usize =
            batch.iter().map(|taken| taken.state.bytes.len() + taken.recent_commands.len()).sum();
        waiting.bytes -= bytes;
        batch
    }

    async fn save(&self, batch: &[Snapshot], stores: &Stores, incarnation: Incarnation) {
        if let Err(error) = stores.snapshots.save(batch).await {
            self.lose(batch.len());
            tracing::warn!(snapshots = batch.len(), %error, "snapshots not saved");
            return;
        }
        for snapshot in batch {
            let Some(retention) = self.retention.get(snapshot.entity.kind()) else { continue };
            if let Err(error) = tidy(&snapshot.entity, *retention, stores, incarnation).await {
                tracing::warn!(entity = %snapshot.entity, %error, "old snapshots or events not deleted");
            }
        }
    }
}

/// Deletes only up to the oldest snapshot that is kept: any of the kept ones can still be recovered from.
async fn tidy(
    entity: &EntityKey,
    retention: Retention,
    stores: &Stores,
    incarnation: Incarnation,
) -> Result<(), StoreError> {
    let oldest = stores.snapshots.prune(entity, retention.keep_snapshots.get()).await?;
    if let (Some(oldest), true) = (oldest, retention.delete_events) {
        stores.events.delete_events(incarnation, entity, oldest).await?;
    }
    Ok(())
}
