use super::Incarnation;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The incarnation that a process writes as at the moment; clones are one. It changes only where a member of a cluster has
/// lost its membership and joins again.
#[derive(Clone)]
pub struct CurrentIncarnation(Arc<AtomicU64>);

impl CurrentIncarnation {
    /// What it is now.
    #[must_use]
    pub fn get(&self) -> Incarnation {
        Incarnation::new(self.0.load(Ordering::Acquire))
    }

    /// Goes on as another one. Writers have stopped before, and everything they had begun is settled: what they
    /// take from now on they write as `next`.
    pub fn set(&self, next: Incarnation) {
        self.0.store(next.get(), Ordering::Release);
    }
}

impl From<Incarnation> for CurrentIncarnation {
    fn from(incarnation: Incarnation) -> Self {
        Self(Arc::new(AtomicU64::new(incarnation.get())))
    }
}

impl fmt::Debug for CurrentIncarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentIncarnation").field(&self.get()).finish()
    }
}
