use super::{
    CommitSink, GroupWrite, Settled, Weight,
    commit_sink::tell,
    group_commit::{KEPT_WRITES_MAX, Waiting, stopped},
};
use parking_lot::Mutex;
use std::{
    fmt, mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::sync::Notify;

/// Where the writes of a lane gather until the writer takes them all.
///
/// It is on the path of every command: one short lock for all that a partition has to write, and a wake-up only when
/// the writer is idle.
pub struct LaneQueue<W, T> {
    gathered: Mutex<Gathered<W, T>>,
    /// What is not settled yet: gathered here, waiting in the writer, and in flight.
    pending: Pending,
    wake: Notify,
    sink: Arc<dyn CommitSink<T>>,
}

struct Gathered<W, T> {
    writes: Vec<Waiting<W, T>>,
    idle: bool,
    closed: bool,
}

#[derive(Default)]
struct Pending {
    events: AtomicUsize,
    bytes: AtomicUsize,
}

impl<W: GroupWrite, T: Copy + Send + 'static> LaneQueue<W, T> {
    pub(super) fn new(sink: Arc<dyn CommitSink<T>>) -> Self {
        Self {
            gathered: Mutex::new(Gathered { writes: Vec::new(), idle: false, closed: false }),
            pending: Pending::default(),
            wake: Notify::new(),
            sink,
        }
    }

    /// Hands over writes; what becomes of each goes to the writer's [`CommitSink`].
    ///
    /// An entity has one write under way at a time. Should it have more, they go one after the other.
    ///
    /// Nothing is refused for want of room: whoever submits looks at [`pending`](Self::pending) before. A writer that is stopping or has stopped
    /// takes nothing: the sink is then told on the caller's thread, before this returns, that the writes are unavailable.
    ///
    /// The iterator runs under a lock and must not come back here.
    pub fn submit(&self, writes: impl IntoIterator<Item = (W, T)>) {
        let writes = writes.into_iter();
        let mut gathered = self.gathered.lock();
        if gathered.closed {
            drop(gathered);
            return self.refuse(writes);
        }
        let mut added = Added { weight: Weight::ZERO, to: &self.pending };
        for (write, ticket) in writes {
            let weight = write.weight();
            added.weight += weight;
            gathered.writes.push(Waiting { write, ticket, weight });
        }
        drop(added);
        let wake = gathered.idle && !gathered.writes.is_empty();
        gathered.idle &= !wake;
        drop(gathered);
        if wake {
            self.wake.notify_one();
        }
    }

    /// How much waits for its commit, the batch in flight included. Does not take the lock.
    #[must_use]
    pub fn pending(&self) -> Weight {
        Weight {
            events: self.pending.events.load(Relaxed),
            bytes: self.pending.bytes.load(Relaxed),
        }
    }

    /// Refuses writes from now on; what is gathered is still taken.
    pub(super) fn close(&self) {
        let mut gathered = self.gathered.lock();
        gathered.closed = true;
        gathered.idle = false;
        drop(gathered);
        self.wake.notify_one();
    }

    /// How many writes are gathered.
    pub(super) fn len(&self) -> usize {
        self.gathered.lock().writes.len()
    }

    /// Swaps everything gathered into `taken`, which is empty and keeps its places for the next writes.
    pub(super) fn take(&self, taken: &mut Vec<Waiting<W, T>>) {
        taken.shrink_to(KEPT_WRITES_MAX);
        mem::swap(&mut self.gathered.lock().writes, taken);
    }

    /// Waits for writes; `false` when none will come because the queue is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn wait(&self) -> bool {
        loop {
            {
                let mut gathered = self.gathered.lock();
                if !gathered.writes.is_empty() {
                    return true;
                }
                if gathered.closed {
                    return false;
                }
                gathered.idle = true;
            }
            self.wake.notified().await;
        }
    }

    /// Counts `weight` as settled.
    pub(super) fn release(&self, weight: Weight) {
        self.pending.events.fetch_sub(weight.events, Relaxed);
        self.pending.bytes.fetch_sub(weight.bytes, Relaxed);
    }

    fn refuse(&self, writes: impl Iterator<Item = (W, T)>) {
        let stopped = stopped();
        let settled = writes.map(|(write, ticket)| {
            let result = Err(stopped.clone().into());
            Settled { ticket, partition: write.partition(), result }
        });
        tell(&*self.sink, settled.collect());
    }
}

impl<W, T> fmt::Debug for LaneQueue<W, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneQueue")
            .field("pending_bytes", &self.pending.bytes)
            .finish_non_exhaustive()
    }
}

/// Counts what was pushed when it goes out of scope, also when the caller's iterator panics.
struct Added<'a> {
    weight: Weight,
    to: &'a Pending,
}

impl Drop for Added<'_> {
    fn drop(&mut self) {
        self.to.events.fetch_add(self.weight.events, Relaxed);
        self.to.bytes.fetch_add(self.weight.bytes, Relaxed);
    }
}
