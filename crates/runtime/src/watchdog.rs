//! Ends the waits of callers whose partition is stuck, and names the handler it is stuck in.

use crate::{
    alarm::Scheduled,
    clock::Clock,
    partition::{PartitionHandle, PartitionHandles, PartitionTable},
};
use actum_host::{Load, Moment};
use actum_persistence::panics::{guard, log_safely};
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::runtime::Handle;
use tracing::{Dispatch, dispatcher, subscriber::NoSubscriber};

/// Looks at all partitions of an engine again and again while commands wait in it.
///
/// A partition answers late commands itself; but while a handler blocks it, or all threads of tokio are blocked, it
/// cannot. So this has a thread of its own, which sleeps while no command waits. It leaves the commands where they are.
pub(crate) struct Watchdog {
    partitions: Arc<PartitionHandles>,
    load: Arc<Load>,
    clock: Clock,
    slow_handler_after: Duration,
    /// What each partition was found waiting in at the last look, if it was.
    seen: PartitionTable<Option<u64>>,
}

/// How often it checks them.
const TICK: Duration = Duration::from_millis(10);

/// How much later than it wants a partition may be woken before it counts as stuck.
const TOLERANCE: Duration = Duration::from_millis(20);

/// After how many checks without any command it sleeps.
const IDLE_TICKS: u32 = 100;

/// A watchdog at work.
pub(crate) struct Watch {
    thread: thread::JoinHandle<()>,
    ended: Receiver<()>,
}

impl Watch {
    /// Waits until a watchdog has ended that is to end; no longer than `limit`, since it may be calling a foreign waker
    /// or subscriber.
    pub(crate) async fn ended(self, limit: Duration) {
        let join = move || match self.ended.recv_timeout(limit) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => drop(self.thread.join()), // nothing is left of it but its end
        };
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl Watchdog {
    pub(crate) fn new(
        partitions: Arc<PartitionHandles>,
        load: Arc<Load>,
        clock: Clock,
        slow_handler_after: Duration,
    ) -> Self {
        let seen = PartitionTable::new(partitions.count(), |_| None);
        Self { partitions, load, clock, slow_handler_after, seen }
    }

    /// Starts the thread. It logs to the caller's subscriber, and reads the clock of the caller's tokio runtime.
    ///
    /// # Errors
    /// That of the system, when it has no thread to give.
    pub(crate) fn spawn(mut self) -> io::Result<Watch> {
        let (alive, ended) = sync_channel::<()>(1);
        let (runtime, log) = (Handle::current(), dispatcher::get_default(Clone::clone));
        let thread = thread::Builder::new().name("actum-watchdog".to_owned()).spawn(move || {
            let _alive = alive;
            self.load.watchdog().begin();
            with(&log, || {
                let _entered = runtime.enter();
                self.run();
            });
        })?;
        Ok(Watch { thread, ended })
    }

    fn run(&mut self) {
        let mut idle_ticks = 0;
        let load = Arc::clone(&self.load);
        let sleep = load.watchdog();
        while !sleep.has_ended() {
            if load.commands() > 0 {
                idle_ticks = 0;
                let _ = guard(|| self.look()); // whatever fails, the next check comes
            } else {
                idle_ticks += 1;
            }
            if idle_ticks < IDLE_TICKS {
                thread::park_timeout(TICK);
                continue;
            }
            sleep.sleep(|| load.commands() == 0);
            idle_ticks = 0;
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        for handle in &*self.partitions {
            let turns = handle.turns();
            let in_turn = turns % 2 == 1;
            let waits = (in_turn || handle.is_awake()).then_some(turns);
            let seen = std::mem::replace(&mut self.seen[handle.partition], waits);
            if in_turn {
                self.name_slow_handlers(handle, now);
            }
            let stuck = seen == waits && waits.is_some();
            if stuck || handle.due().after(TOLERANCE) <= now {
                handle.inboxes().iter().for_each(|inbox| inbox.end_late(now));
            }
        }
    }

    fn name_slow_handlers(&self, handle: &PartitionHandle, now: Moment) {
        for inbox in handle.inboxes() {
            let Some(run) = inbox.slow_run(self.slow_handler_after, now) else { continue };
            self.load.slow_handler();
            let (kind, command, ran_for) = (inbox.kind(), run.command, run.ran_for);
            log_safely(|| {
                tracing::warn!(kind, %command, ?ran_for, "slow handler, its whole partition waits");
            });
        }
    }
}

/// Logs to `log` meanwhile; to the process's default where there was none, since it may be set later.
fn with(log: &Dispatch, run: impl FnOnce()) {
    if log.is::<NoSubscriber>() { run() } else { dispatcher::with_default(log, run) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn the_first_command_and_the_end_wake_one_that_sleeps() {
        for ends in [false, true] {
            let load = Arc::new(Load::new(10, 10, 10));
            let (awake, woken) = sync_channel(1);
            let of_sleeper = Arc::clone(&load);
            let sleeper = thread::spawn(move || {
                of_sleeper.watchdog().begin();
                of_sleeper.watchdog().sleep(|| of_sleeper.commands() == 0);
                awake.send(()).expect("the test waits");
            });
            while !load.watchdog().is_asleep() {
                thread::yield_now();
            }
            if ends {
                load.watchdog().end();
            } else {
                load.admit().expect("there is room");
            }
            woken.recv_timeout(Duration::from_secs(60)).expect("it wakes");
            sleeper.join().expect("it does not panic");
        }
    }
}
