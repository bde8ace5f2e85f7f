use crate::journal::Held;
use actum_host::{
    cell::{GivenUp, Ticket},
    partition::{Found, Mail as HostMail},
};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use parking_lot::Mutex;
use ractor::ActorRef;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where results for a partition are left, and how its actor is woken: once, however much is left.
///
/// It outlives the actor: results for one that has ended carry tickets that no later one uses. While the partition is
/// closed, results are dropped.
pub(super) struct Mailbox {
    content: Mutex<Content>,
    awake: AtomicBool,
    actor: Mutex<Option<ActorRef<PartitionMessage>>>,
}

/// Results of reads and writes.
pub(super) type Mail = HostMail<Held>;

#[derive(Default)]
struct Content {
    mail: Mail,
    is_open: bool,
}

/// A message to the actor of a partition.
pub(crate) enum PartitionMessage {
    /// Something was left in the mailbox or in an inbox, or something is due.
    Turn,
    /// Finish what is there, then stop.
    Drain,
    /// Fail what is left for this reason, and stop.
    Abandon(GivenUp),
}

// ractor has no blanket implementation when its `cluster` feature is on, as it always is here
impl ractor::Message for PartitionMessage {}

impl Mailbox {
    pub(super) fn new() -> Self {
        Self { content: Mutex::default(), awake: AtomicBool::new(false), actor: Mutex::new(None) }
    }

    /// Wakes the actor unless it is awake already. To be called after something was left.
    pub(super) fn notify(&self) {
        // looking first spares the cache line while the actor is awake anyway; a sender that sees it awake left something
        // under a lock that the actor takes after it has said that it looks
        if !self.is_awake() {
            self.wake();
        }
    }

    /// Wakes the actor, without looking first: for what was left under no lock.
    pub(super) fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel) {
            self.send(PartitionMessage::Turn);
        }
    }

    /// Says that the actor is about to look: what is left from now on wakes it again. To be called before looking.
    pub(super) fn begin_looking(&self) {
        self.awake.swap(false, Ordering::AcqRel);
    }

    /// Whether the actor was woken and has not looked since.
    pub(super) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Acquire)
    }

    pub(super) fn leave_committed(
        &self,
        results: impl IntoIterator<Item = (Ticket, Result<Committed, CommitError>)>,
    ) {
        self.leave(|mail| mail.committed.extend(results));
    }

    pub(super) fn leave_found(&self, result: (Ticket, Result<Found, StoreError>, Held)) {
        self.leave(|mail| mail.found.push(result));
    }

    fn leave(&self, add: impl FnOnce(&mut Mail)) {
        let mut content = self.content.lock();
        if content.is_open {
            add(&mut content.mail);
            drop(content);
            self.notify();
        }
    }

    /// Takes the mail in exchange for an empty one, whose room is used again.
    pub(super) fn take_mail(&self, into: &mut Mail) {
        std::mem::swap(&mut self.content.lock().mail, into);
    }

    /// From now on `actor` is woken. It looks at once, for what was left meanwhile.
    pub(super) fn attach(&self, actor: ActorRef<PartitionMessage>) {
        self.content.lock().is_open = true;
        *self.actor.lock() = Some(actor);
        self.awake.store(true, Ordering::Release);
        self.send(PartitionMessage::Turn);
    }

    /// Forgets the actor, which has stopped, and drops the mail for it.
    pub(super) fn detach(&self) {
        let left = std::mem::take(&mut *self.content.lock());
        *self.actor.lock() = None;
        self.awake.store(false, Ordering::Release);
        drop(left); // outside the lock
    }

    /// Sends a message past the flag; without effect where no actor is attached.
    pub(super) fn send(&self, message: PartitionMessage) {
        if let Some(actor) = &*self.actor.lock() {
            // a dead actor's successor looks when it is attached
            let _ = actor.cast(message);
        }
    }
}
