use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// How much earlier than asked for the thread wakes up: Linux adds 50 microseconds to every timed wait, and waking the
/// task takes some more.
const AHEAD: Duration = Duration::from_micros(90);

/// Wakes tasks at points in time, finer than tokio's timer, which counts in milliseconds: a thread waits for the next.
#[derive(Debug)]
pub(super) struct DelayTimer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    by_due: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    count: u64,
    is_over: bool,
}

impl DelayTimer {
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.run()
        });
        Self { shared, thread: Some(thread) }
    }

    /// Waits until about `due`, never more than [`AHEAD`] too early.
    pub(super) async fn until(&self, due: Instant) {
        if due <= Instant::now() + AHEAD {
            return;
        }
        // it ends early when the proxy ends, and then the task that waits does too
        let _ = self.shared.wake_at(due).await;
    }
}

impl Shared {
    fn wake_at(&self, due: Instant) -> oneshot::Receiver<()> {
        let (wake, woken) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        waiting.count += 1;
        let key = (due, waiting.count);
        waiting.by_due.insert(key, wake);
        if waiting.by_due.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.changed.notify_one();
        }
        woken
    }

    fn run(&self) {
        let mut waiting = self.waiting.lock();
        while !waiting.is_over {
            let Some((&(due, _), _)) = waiting.by_due.first_key_value() else {
                self.changed.wait(&mut waiting);
                continue;
            };
            if due <= Instant::now() + AHEAD {
                let (_, wake) = waiting.by_due.pop_first().expect("the first was just seen");
                // a task that waited may have been cut
                let _ = wake.send(());
            } else {
                self.changed.wait_until(&mut waiting, due - AHEAD);
            }
        }
    }
}

impl Drop for DelayTimer {
    fn drop(&mut self) {
        self.shared.waiting.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
