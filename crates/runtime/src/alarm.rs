use crate::{clock::Clock, partition::Door};
use actum_host::cell::Moment;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// Wakes partitions when something of theirs is due: one task for all of them, not one timer a command.
pub(crate) struct Alarm {
    /// When the task wakes next.
    next: AtomicU64,
    earlier: Notify,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self { next: AtomicU64::new(Moment::NEVER.as_micros()), earlier: Notify::new() }
    }

    /// Says that a partition is due at `due`, after it has stored that.
    pub(crate) fn wanted(&self, due: Moment) {
        if due.as_micros() < self.next.load(Ordering::SeqCst) {
            self.earlier.notify_one();
        }
    }

    /// Rings at every door that is due; until the task is aborted.
    pub(crate) async fn run(&self, doors: Arc<[Arc<Door>]>, clock: Clock) {
        loop {
            let now = clock.now();
            for door in doors.iter().filter(|door| door.due() <= now) {
                door.ring();
            }
            let next = doors.iter().map(|door| door.due()).min().unwrap_or(Moment::NEVER);
            self.next.store(next.as_micros(), Ordering::SeqCst);
            // who stored a nearer moment before that store did not notify: look once more
            let recheck = doors.iter().map(|door| door.due()).min().unwrap_or(Moment::NEVER);
            if recheck < next {
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
