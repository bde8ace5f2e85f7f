use crate::{alarm::Alarm, journal::Held};
use actum_host::cell::{Moment, Ticket};
use actum_host::partition::Found;
use actum_model::{Lane, Partition};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use parking_lot::Mutex;
use ractor::ActorRef;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
};
use tokio::sync::oneshot;

/// Where everything for a partition is left, and how its actor is woken: once, however much is left.
///
/// It outlives the actor: results for a life that has ended carry tickets that no later life uses.
pub(crate) struct Door {
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
    mail: Mutex<Mail>,
    awake: AtomicBool,
    actor: Mutex<Option<ActorRef<PartitionMessage>>>,
    due: AtomicU64,
    oldest_use: AtomicU64,
    keeps_cap: AtomicBool,
    alarm: Arc<Alarm>,
    generations: AtomicU32,
    /// Counts up as a turn begins and as it ends: odd while one is under way.
    turns: AtomicU64,
}

/// Results of reads and writes.
pub(crate) type Mail = actum_host::partition::Mail<Held>;

/// What the actor of a partition is told.
pub(crate) enum PartitionMessage {
    /// Something was left at the door, or something is due.
    Turn,
    /// Finish what is there, then say so.
    Drain(oneshot::Sender<()>),
    /// Fail what is left for this reason, say how many commands that were, and stop.
    Abandon(&'static str, oneshot::Sender<usize>),
}

// ractor has no blanket implementation when its `cluster` feature is on, as it always is here
impl ractor::Message for PartitionMessage {}

impl Door {
    pub(crate) fn new(partition: Partition, lane: Lane, alarm: Arc<Alarm>) -> Self {
        Self {
            partition,
            lane,
            mail: Mutex::default(),
            awake: AtomicBool::new(false),
            actor: Mutex::new(None),
            due: AtomicU64::new(Moment::NEVER.as_micros()),
            oldest_use: AtomicU64::new(Moment::NEVER.as_micros()),
            keeps_cap: AtomicBool::new(false),
            alarm,
            generations: AtomicU32::new(0),
            turns: AtomicU64::new(0),
        }
    }

    /// Wakes the actor unless it is awake already. To be called after something was left.
    pub(crate) fn knock(&self) {
        // looking first spares the cache line while the actor is awake anyway; whoever sees it awake left something
        // under a lock that the actor takes after it has said that it looks
        if !self.awake.load(Ordering::Acquire) {
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel) {
            self.send(PartitionMessage::Turn);
        }
    }

    /// Says that the actor is about to look: what is left from now on knocks again. To be called before looking.
    pub(crate) fn answer(&self) {
        self.begin_turn();
        self.awake.swap(false, Ordering::AcqRel);
    }

    /// Says that the actor is at work until [`Door::end_turn`].
    pub(crate) fn begin_turn(&self) {
        self.set_turns(|turns| turns | 1);
    }

    pub(crate) fn end_turn(&self) {
        self.set_turns(|turns| (turns | 1) + 1);
    }

    /// Only the partition that lives here does that.
    fn set_turns(&self, change: impl FnOnce(u64) -> u64) {
        self.turns.store(change(self.turns.load(Ordering::Relaxed)), Ordering::Release);
    }

    /// How often a turn has begun or ended; odd while one is under way.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Acquire)
    }

    /// Whether the actor was woken and has not looked since.
    pub(crate) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Acquire)
    }

    pub(crate) fn leave_committed(
        &self,
        results: impl IntoIterator<Item = (Ticket, Result<Committed, CommitError>)>,
    ) {
        self.mail.lock().committed.extend(results);
        self.knock();
    }

    pub(crate) fn leave_found(
        &self,
        results: impl IntoIterator<Item = (Ticket, Result<Found, StoreError>, Held)>,
    ) {
        self.mail.lock().found.extend(results);
        self.knock();
    }

    /// Takes the mail in exchange for an empty one, whose room is used again.
    pub(crate) fn take_mail(&self, into: &mut Mail) {
        std::mem::swap(&mut *self.mail.lock(), into);
    }

    /// Moves in: from now on `actor` is woken. It looks at once, for what was left meanwhile.
    pub(crate) fn move_in(&self, actor: ActorRef<PartitionMessage>) {
        self.end_turn(); // that of a former life
        *self.actor.lock() = Some(actor);
        self.awake.store(true, Ordering::Release);
        self.send(PartitionMessage::Turn);
    }

    /// Sends a message past the knocking; without effect when nobody lives here.
    pub(crate) fn send(&self, message: PartitionMessage) {
        if let Some(actor) = &*self.actor.lock() {
            // a dead actor's successor looks when it moves in
            let _ = actor.cast(message);
        }
    }

    /// A number no cell of this partition had before.
    pub(crate) fn next_generation(&self) -> u32 {
        self.generations.fetch_add(1, Ordering::Relaxed)
    }

    /// When the partition wants to be woken at the latest.
    pub(crate) fn due(&self) -> Moment {
        Moment::from_micros(self.due.load(Ordering::SeqCst))
    }

    pub(crate) fn set_due(&self, due: Moment) {
        self.due.store(due.as_micros(), Ordering::SeqCst);
        self.alarm.wanted(due);
    }

    /// When the least recently used cell of the partition was used, as far as it has said.
    pub(crate) fn oldest_use(&self) -> Moment {
        Moment::from_micros(self.oldest_use.load(Ordering::Relaxed))
    }

    pub(crate) fn set_oldest_use(&self, used: Moment) {
        self.oldest_use.store(used.as_micros(), Ordering::Relaxed);
    }

    /// Makes the partition the one that keeps the cap.
    pub(crate) fn hand_cap(&self) {
        self.keeps_cap.store(true, Ordering::Release);
        self.wake();
    }

    /// Takes the cap over, if it was handed here.
    pub(crate) fn take_cap(&self) -> bool {
        self.keeps_cap.load(Ordering::Relaxed) && self.keeps_cap.swap(false, Ordering::Acquire)
    }

    /// Wakes the partition because it is due, once.
    pub(crate) fn ring(&self) {
        self.due.store(Moment::NEVER.as_micros(), Ordering::Release);
        self.wake(); // nothing was left under a lock, so no looking first
    }
}
