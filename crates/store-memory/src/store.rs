use crate::{
    MemoryTarget, lane_log::LaneLog, lease_clock::ClockStep, snapshots::Snapshots, states::States,
    writers::Writers,
};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::{
    progress::{KeepsProgress, ProgressStore},
    store::{Incarnation, JournalLayout, StoreError},
};
use parking_lot::{RwLock, RwLockReadGuard};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A journal in memory.
///
/// Clones are one handle: [`close`](actum_persistence::store::EventStore::close) of one closes all of them.
/// [`reopen`](Self::reopen) gives another handle to the same data, as opening a file again does, so a test restarts an
/// engine by handing it a reopened store. What is not closed survives as well: dropping a handle is a crash that loses
/// nothing that was confirmed.
///
/// Leases of writer slots run on tokio's clock, which a test can pause and advance, and let
/// [step](Self::step_lease_clock) as the clock of a server may.
///
/// # Examples
/// ```
/// use actum_persistence::store::Stores;
/// use actum_store_memory::MemoryStore;
///
/// let store = MemoryStore::new();
/// let first_run = Stores::of(store.clone());
/// let after_restart = Stores::of(store.reopen());
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    data: Arc<Data>,
    closed: Arc<AtomicBool>,
}

/// What all handles share.
struct Data {
    layout: JournalLayout,
    writers: RwLock<Writers>,
    snapshots: RwLock<Snapshots>,
    lanes: Box<[RwLock<LaneLog>]>,
    states: RwLock<States>,
    target: MemoryTarget,
}

impl MemoryStore {
    /// An empty journal of 256 partitions and one lane.
    #[must_use]
    pub fn new() -> Self {
        Self::with_layout(JournalLayout::default())
    }

    /// An empty journal, divided as `layout` says.
    #[must_use]
    pub fn with_layout(layout: JournalLayout) -> Self {
        let lanes = layout.lanes.iter().map(|_| RwLock::new(LaneLog::new(layout.lanes)));
        Self::over(Arc::new(Data {
            layout,
            writers: RwLock::default(),
            snapshots: RwLock::default(),
            lanes: lanes.collect(),
            states: RwLock::new(States::new(layout)),
            target: MemoryTarget::new(),
        }))
    }

    /// Another handle to the same data, open even if this one is closed.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::over(Arc::clone(&self.data))
    }

    /// Makes `lane` look as if all events up to `to` had been written and deleted, for tests of large positions.
    ///
    /// # Panics
    /// When the lane is already past `to`, or the journal does not have it.
    pub fn advance_lane(&self, lane: Lane, to: Position) {
        self.data.lanes[lane.index()].write().advance(to);
    }

    /// Makes `entity` look as if it had got all events up to `to` and they had been deleted, for tests of large
    /// sequence numbers.
    ///
    /// # Panics
    /// When the entity has events.
    pub fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        self.lane_of(entity).write().advance_entity(entity, to);
    }

    /// Lets the clock that leases of writer slots run on step, as the clock of a server may: for tests.
    pub fn step_lease_clock(&self, step: ClockStep) {
        self.data.writers.write().step_clock(step);
    }

    fn over(data: Arc<Data>) -> Self {
        Self { data, closed: Arc::default() }
    }

    pub(crate) fn layout(&self) -> JournalLayout {
        self.data.layout
    }

    /// The lane of this number.
    pub(crate) fn lane(&self, lane: Lane) -> Result<&RwLock<LaneLog>, StoreError> {
        self.layout().check_lane(lane)?;
        Ok(&self.data.lanes[lane.index()])
    }

    pub(crate) fn lanes(&self) -> &[RwLock<LaneLog>] {
        &self.data.lanes
    }

    /// The lane that `entity` writes to.
    pub(crate) fn lane_of(&self, entity: &EntityKey) -> &RwLock<LaneLog> {
        &self.data.lanes[self.layout().lane_of(entity).index()]
    }

    pub(crate) fn snapshots(&self) -> &RwLock<Snapshots> {
        &self.data.snapshots
    }

    pub(crate) fn states(&self) -> &RwLock<States> {
        &self.data.states
    }

    pub(crate) fn writers(&self) -> &RwLock<Writers> {
        &self.data.writers
    }

    /// Fails when this handle is closed.
    pub(crate) fn check_open(&self, doing: &str) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::unavailable(doing, "the store was closed"));
        }
        Ok(())
    }

    /// Keeps the handle open, and every incarnation in its right, while the guard lives.
    pub(crate) fn writing(&self, doing: &str) -> Result<RwLockReadGuard<'_, Writers>, StoreError> {
        let writers = self.data.writers.read();
        self.check_open(doing)?;
        Ok(writers)
    }

    /// As [`writing`](Self::writing), and fails when `incarnation` is revoked.
    pub(crate) fn writing_as(
        &self,
        incarnation: Incarnation,
        doing: &str,
    ) -> Result<RwLockReadGuard<'_, Writers>, StoreError> {
        let writers = self.writing(doing)?;
        writers.check(incarnation)?;
        Ok(writers)
    }

    /// Closes the handle once no write is under way.
    pub(crate) fn close_handle(&self) {
        let _no_write = self.data.writers.write();
        self.closed.store(true, Ordering::Release);
    }
}

/// All handles to the same data share it. What is returned is a handle of its own, which is closed by itself alone.
impl KeepsProgress for MemoryStore {
    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::new(self.data.target.reopen())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("layout", &self.data.layout).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{Revision, StoredPayload, Timestamp};
    use actum_persistence::store::{
        AppendBatch, DurableStateStore, EntityAppend, EventStore, NewEvent, StateBatch,
        StateChange, StateWrite, WriterClaim, WriterStore,
    };
    use bytes::Bytes;
    use std::{future::Future, thread, time::Duration};

    #[test]
    fn no_writer_can_be_revoked_while_an_append_waits_for_its_lane() {
        let store = MemoryStore::new();
        let batch = AppendBatch {
            lane: Lane::default(),
            incarnation: claim(&store),
            appends: vec![EntityAppend {
                entity: key(),
                partition: key().partition(store.layout().partitions),
                owned_as: None,
                expected: SequenceNr::ZERO,
                first_event_nr: 1,
                events: vec![NewEvent {
                    timestamp: Timestamp::default(),
                    payload: payload(),
                    metadata: Bytes::new(),
                }],
            }],
        };
        let busy = store.lanes()[0].write();
        let appending = store.clone();
        let append = thread::spawn(move || run(appending.append(&batch)));
        wait_until_no_writer_can_be_revoked(&store);
        drop(busy);
        append.join().unwrap().unwrap();
        assert!(store.writers().try_write().is_some());
    }

    #[test]
    fn no_writer_can_be_revoked_while_a_state_waits_to_be_written() {
        let store = MemoryStore::new();
        let batch = StateBatch {
            incarnation: claim(&store),
            writes: vec![StateWrite {
                entity: key(),
                partition: key().partition(store.layout().partitions),
                owned_as: None,
                expected: SequenceNr::ZERO.into(),
                revision: SequenceNr::new(1).into(),
                write_nr: 1,
                timestamp: Timestamp::default(),
                change: StateChange::Put(payload()),
                commands: Vec::new(),
                forget_to: Revision::ZERO,
            }],
        };
        let busy = store.states().write();
        let writing = store.clone();
        let write = thread::spawn(move || run(writing.write(&batch)));
        wait_until_no_writer_can_be_revoked(&store);
        drop(busy);
        write.join().unwrap().unwrap();
        assert!(store.writers().try_write().is_some());
    }

    fn wait_until_no_writer_can_be_revoked(store: &MemoryStore) {
        let patience = tokio::time::Instant::now() + Duration::from_secs(20);
        while store.writers().try_write().is_some() {
            assert!(tokio::time::Instant::now() < patience, "the fence is not held");
            thread::yield_now();
        }
    }

    fn claim(store: &MemoryStore) -> Incarnation {
        let (slot, holder) = ("journal".into(), "a test".into());
        run(store.claim(&WriterClaim {
            slot,
            holder,
            lease: Duration::from_secs(60),
            replaces: None,
        }))
        .unwrap()
    }

    fn key() -> EntityKey {
        EntityKey::new("account", "1").unwrap()
    }

    fn payload() -> StoredPayload {
        StoredPayload {
            codec: "utf8".into(),
            manifest: "opened".into(),
            schema_version: 1,
            bytes: Bytes::new(),
        }
    }

    fn run<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }
}
