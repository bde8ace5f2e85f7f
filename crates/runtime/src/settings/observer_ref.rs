use actum_host::Observer;
use std::{fmt, ops::Deref, sync::Arc};

/// An [`Observer`] in settings. Two are equal when one is a clone of the other.
#[derive(Clone)]
pub struct ObserverRef(Arc<dyn Observer>);

impl ObserverRef {
    /// Shares an observer.
    #[must_use]
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self(observer)
    }
}

impl Deref for ObserverRef {
    type Target = dyn Observer;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl PartialEq for ObserverRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ObserverRef {}

impl fmt::Debug for ObserverRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverRef").finish_non_exhaustive()
    }
}
