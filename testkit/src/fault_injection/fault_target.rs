use super::{FaultProgress, Faults, Operation, call::Call, fault::Act};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressStore, SaveError},
    store::StoreError,
};
use std::{error::Error, fmt, sync::Arc, time::Duration};

/// A database that commits rows of projections with their progress, and fails as a test asks it to: in
/// [`BeginTransaction`](Operation::BeginTransaction), in [`CommitTransaction`](Operation::CommitTransaction), and in the calls
/// of the store of its progress, as in a [`FaultProgress`]. Everything else goes to the database below.
///
/// A commit that fails and is not done has rolled the transaction back.
///
/// # Examples
/// ```
/// # use actum_persistence::progress::{ExactTarget, ProgressChange, SaveError};
/// # use actum_store_memory::MemoryTarget;
/// # use std::time::Duration;
/// use actum_testkit::{Fault, FaultTarget, Operation};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let rows = MemoryTarget::new();
/// let target = FaultTarget::new(rows.clone());
/// target.faults().next(Operation::CommitTransaction, Fault::unknown_committed());
/// let mut tx = target.begin(Duration::from_secs(10)).await.unwrap();
/// FaultTarget::<MemoryTarget>::connection(&mut tx).insert("balance", *b"100");
/// assert!(target.commit(tx, &ProgressChange::Nothing).await.is_err());
/// assert!(rows.row("balance").is_some(), "it is committed all the same");
/// # });
/// ```
#[derive(Clone)]
pub struct FaultTarget<T> {
    inner: T,
    faults: Faults,
}

impl<T: ExactTarget> FaultTarget<T> {
    /// Nothing goes wrong yet.
    pub fn new(inner: T) -> Self {
        Self::scripted(inner, &Faults::new())
    }

    /// Does what `faults` say, which may be scripted already, and may be those of a [`FaultStore`](super::FaultStore) beside
    /// it.
    pub fn scripted(inner: T, faults: &Faults) -> Self {
        Self { inner, faults: faults.clone() }
    }

    /// What says what goes wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The database below, where nothing goes wrong and nothing is counted.
    #[must_use]
    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: ExactTarget> ExactTarget for FaultTarget<T> {
    type Connection = T::Connection;
    type Tx = T::Tx;

    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::new(FaultProgress::scripted(self.inner.progress(), &self.faults))
    }

    async fn begin(&self, open_max: Duration) -> Result<T::Tx, StoreError> {
        let call = Call::begin(&self.faults, Operation::BeginTransaction);
        call.run(self.inner.begin(open_max)).await
    }

    async fn begin_set_up(&self, open_max: Duration) -> Result<T::Tx, StoreError> {
        let call = Call::begin(&self.faults, Operation::BeginTransaction);
        call.run(self.inner.begin_set_up(open_max)).await
    }

    fn connection(tx: &mut T::Tx) -> &mut T::Connection {
        T::connection(tx)
    }

    async fn commit(&self, tx: T::Tx, change: &ProgressChange) -> Result<(), SaveError> {
        let call = Call::begin(&self.faults, Operation::CommitTransaction);
        call.held_before().await;
        if matches!(call.fault.act, Act::BreakTransaction) {
            self.inner.rollback(tx).await;
            return call.run_now(async { Err(SaveError::Broken { cause: None }) }).await;
        }
        // when the work is not to be done it is dropped, and the transaction with it
        call.run_now(self.inner.commit(tx, change)).await
    }

    async fn rollback(&self, tx: T::Tx) {
        self.inner.rollback(tx).await;
    }

    fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
        T::is_unavailable(error)
    }
}

impl<T> fmt::Debug for FaultTarget<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultTarget").field("faults", &self.faults).finish_non_exhaustive()
    }
}
