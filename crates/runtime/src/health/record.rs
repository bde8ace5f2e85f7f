use super::Failing;
use actum_persistence::error_chain::full_text;
use actum_persistence::store::StoreError;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// What the parts of an engine report of themselves.
#[derive(Default)]
pub(crate) struct HealthRecord {
    /// Renewals of the lease.
    pub(crate) renewals: Outcomes,
    /// Writes to the journal and of durable states.
    pub(crate) writes: Outcomes,
    shut_down: AtomicBool,
}

impl HealthRecord {
    /// The engine begins to shut down.
    pub(crate) fn shuts_down(&self) {
        self.shut_down.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Relaxed)
    }
}

/// Whether something that is done again and again fails at the moment. A success after a success costs a read of a flag.
#[derive(Default)]
pub(crate) struct Outcomes {
    failing: AtomicBool,
    last: Mutex<Option<(Instant, StoreError)>>,
}

impl Outcomes {
    /// It has succeeded.
    pub(crate) fn succeeded(&self) {
        if self.failing.load(Ordering::Relaxed) {
            let mut last = self.last.lock();
            *last = None;
            self.failing.store(false, Ordering::Relaxed);
        }
    }

    /// It has failed.
    pub(crate) fn failed(&self, error: StoreError) {
        let mut last = self.last.lock();
        let since = last.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *last = Some((since, error));
        self.failing.store(true, Ordering::Relaxed);
    }

    /// How it fails, if it does.
    pub(crate) fn failing(&self) -> Option<Failing> {
        let last = self.last.lock();
        let (since, error) = last.as_ref()?;
        Some(Failing { lasting: since.elapsed(), error: full_text(error) })
    }
}
