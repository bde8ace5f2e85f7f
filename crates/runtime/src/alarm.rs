use crate::clock::Clock;
use actum_host::Moment;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// Wakes what is scheduled when it is due: one task for all partitions, not one timer a command.
pub(crate) struct Alarm {
    /// When the task wakes next.
    next: AtomicU64,
    earlier: Notify,
}

/// Something that wants to be woken at a moment.
pub(crate) trait Scheduled: Send + Sync {
    /// When it wants to be woken at the latest.
    fn due(&self) -> Moment;

    /// Wakes it, because it is due. It is not due any more afterwards, unless it says so again.
    fn wake(&self);
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(Moment::NEVER.as_micros()), earlier: Notify::new() }
    }

    /// Says that something is due at `due`, after it has stored that.
    pub(crate) fn wanted(&self, due: Moment) {
        if due.as_micros() < self.next.load(Ordering::SeqCst) {
            self.earlier.notify_one();
        }
    }

    /// Wakes everything that is due; until the task is aborted.
    pub(crate) async fn run(&self, scheduled: Vec<Arc<dyn Scheduled>>, clock: Clock) {
        loop {
            let now = clock.now();
            for due in scheduled.iter().filter(|scheduled| scheduled.due() <= now) {
                due.wake();
            }
            let next = earliest(&scheduled);
            self.next.store(next.as_micros(), Ordering::SeqCst);
            // what stored a nearer moment before that store did not notify: check again
            if earliest(&scheduled) < next {
                continue;
            }
            match clock.instant(next) {
                Some(instant) if next != Moment::NEVER => tokio::select! {
                    biased; // a nearer moment first
                    () = self.earlier.notified() => {}
                    () = tokio::time::sleep_until(instant) => {}
                },
                _ => self.earlier.notified().await,
            }
        }
    }
}

fn earliest(scheduled: &[Arc<dyn Scheduled>]) -> Moment {
    scheduled.iter().map(|scheduled| scheduled.due()).min().unwrap_or(Moment::NEVER)
}
