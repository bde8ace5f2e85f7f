use crate::{clock::Clock, gate::Gate};
use actum_host::cell::Moment;
use actum_persistence::error_chain::full_text;
use actum_persistence::{
    panics::log_safely,
    store::{Incarnation, StoreError, WriterStore},
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Until when this engine is surely the only writer, by its own clock.
///
/// Partitions look at it after they have taken commands, so that a process that was stopped as a whole shows nobody what
/// is in its memory, though it has not come to look after its lease.
pub(crate) struct Term {
    clock: Clock,
    ends: AtomicU64,
}

impl Term {
    /// One that has ended.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ends: AtomicU64::new(0) }
    }

    /// Whether it is over at `now`, a moment on this engine's clock.
    pub(crate) fn is_over_at(&self, now: Moment) -> bool {
        now >= Moment::from_micros(self.ends.load(Ordering::Acquire))
    }

    /// How much longer it lasts; zero when it is over.
    pub(crate) fn left(&self) -> Duration {
        Moment::from_micros(self.ends.load(Ordering::Acquire)).since(self.clock.now())
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn prolong(&self, until: Instant) {
        self.ends.store(self.clock.moment(until).as_micros(), Ordering::Release);
    }
}

/// Why nobody is served whose command came after the end of the term.
pub(crate) fn lapsed<X>() -> actum_host::AskError<X> {
    actum_host::AskError::unavailable("the writer lease could not be renewed in time")
}

/// How soon a renewal that failed is tried again, at the latest: as soon as the store is back, commands are to be taken.
const RETRY: Duration = Duration::from_millis(250);

/// Keeps this engine's claim on its journal alive; until the task is aborted, or another writer takes over. The lease
/// holds until `valid_until` at first.
///
/// A lease that could not be renewed in time is treated as lost by this engine's own clock, whatever the store says: no
/// state is shown that another writer may have changed. That holds while a renewal hangs, too; one that succeeds later
/// proves that nobody did. What is written is fenced by the journal in any case.
pub(crate) async fn keep(
    writers: Arc<dyn WriterStore>,
    incarnation: Incarnation,
    lease: Duration,
    mut valid_until: Instant,
    gate: Arc<Gate>,
    term: Arc<Term>,
) {
    let (mut suspended, mut failing) = (false, false);
    let mut next = valid_until - lease * 2 / 3;
    loop {
        sleep_until(next).await;
        let asked = Instant::now();
        let mut renewal = pin!(writers.renew(incarnation, lease));
        let renewed = match timeout_at(valid_until, &mut renewal).await {
            Ok(renewed) => renewed,
            Err(_) => {
                gate.health().renewals.failed(no_answer());
                suspend(&gate, &mut suspended);
                renewal.await
            }
        };
        match renewed {
            Ok(()) => {
                valid_until = asked + lease;
                next = asked + lease / 3; // at once if this one took longer
                term.prolong(valid_until);
                failing = false;
                gate.health().renewals.succeeded();
                if std::mem::take(&mut suspended) {
                    gate.reopen();
                    log_safely(|| {
                        tracing::info!(%incarnation, "writer lease renewed, commands are taken again");
                    });
                }
            }
            Err(StoreError::Fenced { .. }) => return gate.fence(incarnation),
            Err(error @ StoreError::Lost { .. }) => {
                gate.lose(&error);
                gate.health().renewals.failed(error);
                return;
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    let error = full_text(&error);
                    log_safely(|| {
                        tracing::warn!(%incarnation, error, "writer lease not renewed");
                    });
                }
                gate.health().renewals.failed(error);
                next = Instant::now() + RETRY.min(lease / 3);
                if Instant::now() >= valid_until {
                    suspend(&gate, &mut suspended);
                }
            }
        }
    }
}

fn no_answer() -> StoreError {
    StoreError::unavailable(
        "renewing a writer slot",
        "the store has not answered before the lease ended",
    )
}

fn suspend(gate: &Gate, suspended: &mut bool) {
    if !std::mem::replace(suspended, true) {
        gate.suspend(&lapsed());
    }
}
