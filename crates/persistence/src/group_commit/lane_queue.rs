mod write_in_place;

pub(super) use write_in_place::WriteInPlace;

use super::{
    CommitSink, GroupWrite, Settled,
    commit_sink::notify,
    group_commit::{KEPT_WRITES_MAX, WaitingWrite, stopped},
};
use crate::{Weight, panics::guard};
use parking_lot::Mutex;
use std::{
    fmt, mem,
    sync::{
        Arc, Weak,
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
    in_place: Weak<Mutex<dyn WriteInPlace<W, T>>>,
}

struct Gathered<W, T> {
    writes: Vec<WaitingWrite<W, T>>,
    idle: bool,
    closed: bool,
}

#[derive(Default)]
struct Pending {
    events: AtomicUsize,
    bytes: AtomicUsize,
}

impl<W: GroupWrite, T: Copy + Send + 'static> LaneQueue<W, T> {
    pub(super) fn new(
        sink: Arc<dyn CommitSink<T>>,
        in_place: Weak<Mutex<dyn WriteInPlace<W, T>>>,
    ) -> Self {
        Self {
            gathered: Mutex::new(Gathered { writes: Vec::new(), idle: false, closed: false }),
            pending: Pending::default(),
            wake: Notify::new(),
            sink,
            in_place,
        }
    }

    /// Hands over writes; the outcome of each goes to the writer's [`CommitSink`]. Says whether the writer's task was woken.
    ///
    /// An entity has one write under way at a time. Should it have more, they go one after the other.
    ///
    /// Nothing is refused for want of room: a submitter looks at [`pending`](Self::pending) before. A writer that is
    /// stopping or has stopped takes nothing: the sink then learns on the caller's thread, before this returns, that the
    /// writes are unavailable.
    ///
    /// The iterator runs under a lock and must not come back here.
    pub fn submit(&self, writes: impl IntoIterator<Item = (W, T)>) -> bool {
        self.submit_as(writes, false)
    }

    /// As [`submit`](Self::submit), for a caller that knows that no one else is about to submit: the batch need not wait
    /// for more, so that it is on its way to the store before this returns, if the writer is idle. From a store that answers at
    /// once the sink has the outcome by then, on the caller's thread.
    pub fn submit_alone(&self, writes: impl IntoIterator<Item = (W, T)>) -> bool {
        self.submit_as(writes, true)
    }

    fn submit_as(&self, writes: impl IntoIterator<Item = (W, T)>, is_alone: bool) -> bool {
        let writes = writes.into_iter();
        let mut gathered = self.gathered.lock();
        if gathered.closed {
            drop(gathered);
            self.refuse(writes);
            return false;
        }
        let mut added = Added { weight: Weight::ZERO, to: &self.pending };
        for (write, ticket) in writes {
            let weight = write.weight();
            added.weight += weight;
            gathered.writes.push(WaitingWrite { write, ticket, weight });
        }
        drop(added);
        let was_idle = gathered.idle && !gathered.writes.is_empty();
        gathered.idle &= !was_idle;
        drop(gathered);
        let wake = was_idle && !(is_alone && self.write_in_place());
        if wake {
            self.wake.notify_one();
        }
        wake
    }

    /// Writes for a writer that was idle; says whether it is idle again.
    fn write_in_place(&self) -> bool {
        let Some(writer) = self.in_place.upgrade() else { return false };
        let mut writer = writer.lock(); // mostly free: its task waits
        match guard(|| writer.write_in_place(self)) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(panic) => {
                writer.start_over(self, &panic);
                return false;
            }
        }
        let mut gathered = self.gathered.lock();
        gathered.idle = gathered.writes.is_empty() && !gathered.closed;
        gathered.idle
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
    pub(super) fn take(&self, taken: &mut Vec<WaitingWrite<W, T>>) {
        taken.shrink_to(KEPT_WRITES_MAX);
        mem::swap(&mut self.gathered.lock().writes, taken);
    }

    /// Waits until there may be something to do; `false` when nothing will come because the queue is closed.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn wait(&self) -> bool {
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
        true
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
        notify(&*self.sink, settled.collect());
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
