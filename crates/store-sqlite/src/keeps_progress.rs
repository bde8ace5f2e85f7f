//! A journal keeps the progress of projections in its own file.

use crate::{SqliteStore, SqliteTarget};
use actum_persistence::progress::{ExactTarget, KeepsProgress, ProgressStore};
use std::sync::Arc;

impl SqliteTarget {
    /// The file of a journal: rows of projections, their progress and the journal are one database, copied and restored
    /// together. All that is returned for one store is one target; it is closed with the store.
    ///
    /// The store and the target take turns to write, first come, first served, so that neither waits for a lock of SQLite.
    /// While a transaction is open the store waits: a handler that asks an entity of this journal waits for itself, and
    /// one that takes long delays every command.
    #[must_use]
    pub fn of(store: &SqliteStore) -> Self {
        store.target().clone()
    }
}

/// In the journal's own file, in tables that are created by the first call.
impl KeepsProgress for SqliteStore {
    fn progress(&self) -> Arc<dyn ProgressStore> {
        self.target().progress()
    }
}
