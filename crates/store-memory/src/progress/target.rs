use super::{MemoryRows, MemoryTransaction, target_data::TargetData};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressPlace, ProgressStore, SaveError},
    store::StoreError,
};
use parking_lot::{Mutex, MutexGuard};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A database in memory that keeps the progress of projections and what they write: for tests and examples.
///
/// Clones are one handle: [`close`](ProgressStore::close) of one closes all of them. [`reopen`](Self::reopen) gives another
/// handle to the same data, as opening a database again does.
///
/// Any number of transactions are open at once. Of those that have touched the same row the first that commits wins, and
/// the others are refused: see [`MemoryRows`].
///
/// # Examples
/// ```
/// # use actum_model::*;
/// # use actum_persistence::{progress::*, store::JournalLayout};
/// # use std::{num::*, time::Duration};
/// use actum_store_memory::MemoryTarget;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// # let id = ProjectionId::new("balances", NonZeroU32::MIN)?;
/// # let start = Offset::beginning(LaneCount::default());
/// # let segments = Segment::divide(PartitionCount::default(), NonZeroU16::MIN);
/// # let new = NewProjection {
/// #     id: id.clone(), sources: vec![], layout: JournalLayout::default(), segments: segments.clone(),
/// #     live_from: start.clone(), start: start.clone(),
/// # };
/// # let save = ProgressSave::nothing(id, segments[0], Epoch::default(), ReadProgress::behind(start));
/// let target = MemoryTarget::new();
/// target.progress().enter(&new).await?;
///
/// let mut tx = target.begin(Duration::from_secs(10)).await?;
/// MemoryTarget::connection(&mut tx).insert("balance/7", *b"100");
/// assert_eq!(target.row("balance/7"), None);
/// target.commit(tx, &ProgressChange::Save(save)).await?;
/// assert_eq!(target.row("balance/7").as_deref(), Some(&b"100"[..]));
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryTarget {
    data: Arc<Mutex<TargetData>>,
    closed: Arc<AtomicBool>,
}

impl MemoryTarget {
    /// One that keeps nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle to the same data, open even if this one is closed.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self { data: Arc::clone(&self.data), closed: Arc::default() }
    }

    /// The row of `key`, as it is committed.
    #[must_use]
    pub fn row(&self, key: &str) -> Option<Vec<u8>> {
        self.data.lock().rows.get(key).map(<[u8]>::to_vec)
    }

    /// The rows whose keys begin with `prefix`, as they are committed, in the order of the bytes of the keys.
    #[must_use]
    pub fn rows(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let data = self.data.lock();
        data.rows.iter(prefix).map(|(key, bytes)| (key.to_owned(), bytes.to_vec())).collect()
    }

    /// What is kept, if this handle is open.
    pub(super) fn data(&self, doing: &str) -> Result<MutexGuard<'_, TargetData>, StoreError> {
        let data = self.data.lock();
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::unavailable(doing, "the store was closed"));
        }
        Ok(data)
    }

    /// Clones are closed together, and other handles to the same data are not.
    pub(super) fn place_of_handle(&self) -> ProgressPlace {
        ProgressPlace::new(format_args!("memory, handle {:p}", Arc::as_ptr(&self.closed)))
    }

    pub(super) fn close_handle(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

impl ExactTarget for MemoryTarget {
    type Connection = MemoryRows;
    type Tx = MemoryTransaction;

    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::new(self.clone())
    }

    async fn begin(&self, _open_max: Duration) -> Result<MemoryTransaction, StoreError> {
        drop(self.data("beginning a transaction")?);
        Ok(MemoryTransaction(MemoryRows::new(Arc::clone(&self.data))))
    }

    fn connection(tx: &mut MemoryTransaction) -> &mut MemoryRows {
        &mut tx.0
    }

    async fn commit(
        &self,
        MemoryTransaction(rows): MemoryTransaction,
        change: &ProgressChange,
    ) -> Result<(), SaveError> {
        let doing = "committing a transaction";
        let mut data = self.data(doing)?;
        data.projections.check(change)?;
        if !rows.is_current(&data.rows) {
            let why = "another transaction has changed the same rows";
            return Err(StoreError::unavailable(doing, why).into());
        }
        data.rows.write(rows.into_written());
        data.projections.apply(change);
        Ok(())
    }

    async fn rollback(&self, tx: MemoryTransaction) {
        drop(tx);
    }

    fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if matches!(error.downcast_ref(), Some(StoreError::Unavailable { .. })) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

impl fmt::Debug for MemoryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTarget").finish_non_exhaustive()
    }
}
