use super::retention::{Retention, Superfluous, Tidying};
use crate::{clock::Clock, journal_readers::JournalReaders, settings::ObserverRef};
use actum_host::{Burst, Observer, cell::TakenSnapshot, log_burst};
use actum_persistence::error_chain::full_text;
use actum_persistence::{
    panics::{guarded, log_safely},
    serializer::Serializer,
    store::{CurrentIncarnation, Snapshot, StoreError, Stores},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use tokio::sync::Notify;

/// Saves snapshots behind the entities' backs, and afterwards deletes what they make superfluous.
///
/// No caller waits for a snapshot, so a queue that is full drops the newest: the entity takes another one later.
pub(crate) struct Saver {
    waiting: Mutex<WaitingSnapshots>,
    more: Notify,
    closing: AtomicBool,
    /// How many snapshots were not saved.
    lost: AtomicUsize,
    bytes_max: usize,
    serializer: Serializer,
    retention: HashMap<&'static str, Retention>,
    clock: Clock,
    observer: Option<ObserverRef>,
    /// Saving that failed, snapshots that found no room, and deleting that failed.
    bursts: Bursts,
}

#[derive(Default)]
struct Bursts {
    saves: Burst,
    room: Burst,
    deletions: Burst,
}

#[derive(Default)]
struct WaitingSnapshots {
    snapshots: VecDeque<TakenSnapshot>,
    bytes: usize,
}

/// How many snapshots are saved in one transaction.
const BATCH_MAX: usize = 64;

impl Saver {
    pub(crate) fn new(
        bytes_max: usize,
        serializer: Serializer,
        retention: HashMap<&'static str, Retention>,
        clock: Clock,
        observer: Option<ObserverRef>,
    ) -> Self {
        Self {
            waiting: Mutex::default(),
            more: Notify::new(),
            closing: AtomicBool::new(false),
            lost: AtomicUsize::new(0),
            bytes_max,
            serializer,
            retention,
            clock,
            observer,
            bursts: Bursts::default(),
        }
    }

    pub(crate) fn submit(&self, snapshots: impl Iterator<Item = TakenSnapshot>) {
        let mut waiting = self.waiting.lock();
        for taken in snapshots {
            let bytes = bytes_of(&taken);
            // one alone is saved however large it is: it would be as large the next time
            if waiting.bytes > 0 && waiting.bytes + bytes > self.bytes_max {
                self.lose(1);
                let error = format!("others fill the queue of {} bytes", self.bytes_max);
                self.observe_failed(&taken.snapshot, &error);
                let report = self.bursts.room.failed(&error, self.clock.now());
                let (entity, waiting) = (&taken.snapshot.entity, waiting.bytes);
                log_burst!(
                    report, of: [], at: [%entity, bytes, waiting,], error,
                    "snapshot skipped", keeps: "snapshots are still being skipped"
                );
                continue;
            }
            self.succeeded(&self.bursts.room, "snapshots find room again");
            waiting.bytes += bytes;
            waiting.snapshots.push_back(taken);
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
    pub(crate) async fn run(
        &self,
        stores: &Stores,
        incarnation: &CurrentIncarnation,
        readers: &JournalReaders,
    ) {
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                if self.closing.load(Ordering::Acquire) {
                    return;
                }
                self.more.notified().await;
                continue;
            }
            let snapshots = batch.len();
            if let Err(panic) = guarded(self.save(batch, stores, incarnation, readers)).await {
                self.lose(snapshots);
                log_safely(|| {
                    tracing::error!(snapshots, panic, "store panicked while saving snapshots");
                });
            }
        }
    }

    fn next_batch(&self) -> Vec<TakenSnapshot> {
        let mut waiting = self.waiting.lock();
        let count = waiting.snapshots.len().min(BATCH_MAX);
        let batch: Vec<TakenSnapshot> = waiting.snapshots.drain(..count).collect();
        waiting.bytes -= batch.iter().map(bytes_of).sum::<usize>();
        batch
    }

    async fn save(
        &self,
        mut batch: Vec<TakenSnapshot>,
        stores: &Stores,
        incarnation: &CurrentIncarnation,
        readers: &JournalReaders,
    ) {
        batch.retain(|taken| self.is_readable(&taken.snapshot));
        if batch.is_empty() {
            return;
        }
        let needed: Vec<_> = batch.iter().map(|taken| taken.needed_from).collect();
        let batch: Vec<_> = batch.into_iter().map(|taken| taken.snapshot).collect();
        if let Err(error) = stores.snapshots.save(&batch).await {
            self.lose(batch.len());
            self.observe_all(&batch, |observer, snapshot| {
                observer.snapshot_failed(&snapshot.entity, snapshot.sequence_nr, &error);
            });
            let (error, snapshots) = (full_text(&error), batch.len());
            let report = self.bursts.saves.failed(&error, self.clock.now());
            log_burst!(
                report, of: [], at: [snapshots,], error,
                "snapshots not saved", keeps: "saving snapshots keeps failing"
            );
            return;
        }
        self.succeeded(&self.bursts.saves, "snapshots are saved again");
        self.observe_all(&batch, |observer, snapshot| {
            observer.snapshot_saved(&snapshot.entity, snapshot.sequence_nr);
        });
        let (mut superfluous, mut all_found) = (Superfluous::default(), true);
        for (snapshot, needed_from) in batch.iter().zip(needed) {
            let (entity, newest) = (&snapshot.entity, snapshot.sequence_nr);
            let Some(retention) = self.retention.get(entity.kind()) else { continue };
            let tidying = Tidying { retention, serializer: &self.serializer, stores, readers };
            if let Err(error) = tidying.find(entity, newest, needed_from, &mut superfluous).await {
                all_found = false;
                self.deletion_failed(entity, &error);
            }
        }
        let entities = format!("{} entities", superfluous.entities());
        match superfluous.delete(stores, incarnation.get()).await {
            Ok(()) if all_found => {
                self.succeeded(
                    &self.bursts.deletions,
                    "old snapshots and events are deleted again",
                );
            }
            Ok(()) => {}
            Err(error) => self.deletion_failed(&entities, &error),
        }
    }

    /// Logs that what an entity, or some of them, do not need any more was not deleted.
    fn deletion_failed(&self, entity: &dyn fmt::Display, error: &StoreError) {
        let error = full_text(error);
        let report = self.bursts.deletions.failed(&error, self.clock.now());
        log_burst!(
            report, of: [], at: [%entity,], error,
            "old snapshots or events not deleted",
            keeps: "deleting old snapshots or events keeps failing"
        );
    }

    fn observe_all(&self, snapshots: &[Snapshot], show: impl Fn(&dyn Observer, &Snapshot)) {
        if let Some(observer) = &self.observer {
            snapshots.iter().for_each(|snapshot| show(&**observer, snapshot));
        }
    }

    /// Shows that a snapshot was not even sent to the store.
    fn observe_failed(&self, snapshot: &Snapshot, why: &str) {
        if let Some(observer) = &self.observer {
            let error = StoreError::unavailable("saving a snapshot", why);
            observer.snapshot_failed(&snapshot.entity, snapshot.sequence_nr, &error);
        }
    }

    /// Notes a success, and says so when failures went before it.
    fn succeeded(&self, burst: &Burst, what: &'static str) {
        if let Some(failures) = burst.succeeded(|| self.clock.now()) {
            log_safely(|| tracing::info!(failures, "{what}"));
        }
    }

    /// Whether the kind can decode what it has encoded. A snapshot that cannot be read is not even saved, so that it never
    /// takes the place of one that can be read.
    fn is_readable(&self, snapshot: &Snapshot) -> bool {
        let Some(retention) = self.retention.get(snapshot.entity.kind()) else { return true };
        match (retention.decode)(&self.serializer, snapshot) {
            Ok(()) => true,
            Err(error) => {
                self.lose(1);
                self.observe_failed(snapshot, &error);
                let (entity, nr) = (&snapshot.entity, snapshot.sequence_nr);
                log_safely(|| {
                    tracing::warn!(
                        %entity, sequence_nr = %nr, error,
                        "snapshot not saved, it cannot be decoded"
                    );
                });
                false
            }
        }
    }
}

fn bytes_of(taken: &TakenSnapshot) -> usize {
    taken.snapshot.state.bytes.len() + taken.snapshot.recent_commands.len()
}
