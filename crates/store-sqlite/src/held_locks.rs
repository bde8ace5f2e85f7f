use crate::{lost::Lost, writer_lock::WriterLock};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The locks of the incarnations that were claimed through a store. They end with it.
#[derive(Debug, Default)]
pub(crate) struct HeldLocks(Mutex<HashMap<i64, WriterLock>>);

impl HeldLocks {
    pub(crate) fn keep(&self, incarnation: i64, lock: WriterLock) {
        self.map().insert(incarnation, lock);
    }

    pub(crate) fn take(&self, incarnation: i64) -> Option<WriterLock> {
        self.map().remove(&incarnation)
    }

    pub(crate) fn incarnations(&self) -> Vec<i64> {
        self.map().keys().copied().collect()
    }

    /// Fails if the path of one does not name the locked file any more.
    pub(crate) fn look(&self) -> Result<(), Lost> {
        self.map().values().try_for_each(WriterLock::look)
    }

    /// Releases all of them, as a crash would.
    pub(crate) fn clear(&self) {
        self.map().clear();
    }

    fn map(&self) -> MutexGuard<'_, HashMap<i64, WriterLock>> {
        // nothing panics while the map is held
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
