use super::Faults;
use actum_persistence::{
    progress::{KeepsProgress, ProgressStore},
    store::Stores,
};
use parking_lot::RwLock;
use std::{fmt, sync::Arc};

/// A store that fails as a test asks it to: every call goes to the stores below, unless its [`Faults`] say otherwise.
///
/// It implements all traits of a store, so it takes the place of any. What it does wrong stays within the contract of
/// a store, except where it says so ([`Fault::panic`](super::Fault::panic), damage, and
/// [`Faults::always`] on what should end): an engine over it must keep its promises.
///
/// # Examples
/// ```
/// # use actum_persistence::store::{EventStore, StoreError};
/// # use actum_store_memory::MemoryStore;
/// use actum_testkit::{Fault, FaultStore, Operation};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FaultStore::new(MemoryStore::new());
/// let faults = store.faults();
/// // … hand `store` to an engine, as any other store
///
/// faults.next(Operation::Heads, Fault::unavailable());
/// assert!(matches!(store.heads().await, Err(StoreError::Unavailable { .. })));
/// assert!(store.heads().await.is_ok());
/// assert_eq!(faults.calls(Operation::Heads), 2);
/// assert_eq!(faults.left(), 0);
/// # });
/// ```
/// A call that is held stays under way for as long as the test wants; with an engine, commands gather meanwhile.
/// ```
/// # use actum_persistence::store::EventStore;
/// # use actum_store_memory::MemoryStore;
/// use actum_testkit::{Fault, FaultStore, Operation};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = FaultStore::new(MemoryStore::new());
/// let gate = store.faults().hold_next(Operation::Heads, 1);
/// let reader = store.clone();
/// let call = tokio::spawn(async move { reader.heads().await });
/// gate.held(1).await;
/// store.faults().next(Operation::Heads, Fault::unavailable());
/// assert!(store.heads().await.is_err(), "the next call is another one");
/// gate.open();
/// assert!(call.await.unwrap().is_ok());
/// assert_eq!(store.faults().calls(Operation::Heads), 2);
/// # });
/// ```
#[derive(Clone)]
pub struct FaultStore {
    stores: Arc<RwLock<Stores>>,
    pub(super) faults: Faults,
}

impl FaultStore {
    /// Nothing goes wrong yet.
    pub fn new(inner: impl Into<Stores>) -> Self {
        Self::scripted(inner, &Faults::new())
    }

    /// Does what `faults` say, which may be scripted already, and may outlive this store: a restarted engine gets a
    /// new store with the same script.
    pub fn scripted(inner: impl Into<Stores>, faults: &Faults) -> Self {
        Self { stores: Arc::new(RwLock::new(inner.into())), faults: faults.clone() }
    }

    /// What says what goes wrong.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The stores below, where nothing goes wrong and nothing is counted.
    #[must_use]
    pub fn inner(&self) -> Stores {
        self.stores()
    }

    /// Puts other stores in the place of those below, for all clones: an asynchronous replica that has not seen everything
    /// takes over, or a backup is restored. Calls under way go to the former ones.
    pub fn replace(&self, stores: impl Into<Stores>) {
        *self.stores.write() = stores.into();
    }

    pub(super) fn stores(&self) -> Stores {
        self.stores.read().clone()
    }
}

/// That of the stores below, where nothing goes wrong.
impl KeepsProgress for FaultStore {
    fn progress(&self) -> Arc<dyn ProgressStore> {
        self.stores().progress
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("faults", &self.faults).finish_non_exhaustive()
    }
}
