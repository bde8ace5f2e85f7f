use crate::journal::HeldRoom;
use actum_host::{
    cell::{GivenUp, Ticket},
    partition::{Found, Mail},
};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use parking_lot::Mutex;
use ractor::ActorRef;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where results for a partition are left, and how its actor is woken: once, however much is left.
///
/// It outlives the actor: results for one that has ended carry tickets that no later one uses. While the partition is
/// closed, results are dropped.
pub(super) struct Mailbox {
    content: Mutex<MailboxContent>,
    wake_state: AtomicU8,
    actor: Mutex<Option<ActorRef<PartitionMessage>>>,
}

/// Bits of what the actor does: something was left for it, and it takes a turn.
const ASLEEP: u8 = 0;
const WOKEN: u8 = 1;
const IN_TURN: u8 = 2;

/// Results of reads and writes.
pub(super) type PartitionMail = Mail<HeldRoom>;

#[derive(Default)]
struct MailboxContent {
    mail: PartitionMail,
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
        let wake_state = AtomicU8::new(ASLEEP);
        Self { content: Mutex::default(), wake_state, actor: Mutex::new(None) }
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
        // in the middle of a turn no message is needed: the actor sees it at the end
        if self.wake_state.fetch_or(WOKEN, Ordering::AcqRel) == ASLEEP {
            self.send(PartitionMessage::Turn);
        }
    }

    /// Says that the actor is about to look: what is left from now on wakes it again. To be called before looking.
    pub(super) fn begin_looking(&self) {
        self.wake_state.swap(IN_TURN, Ordering::AcqRel);
    }

    /// Says that the actor has done with what it found. `true` when something was left meanwhile: no message says so, and
    /// the actor looks again by itself.
    pub(super) fn end_looking(&self) -> bool {
        self.wake_state.fetch_and(!IN_TURN, Ordering::AcqRel) & WOKEN != 0
    }

    /// Whether something was left that the actor has not looked at.
    pub(super) fn is_awake(&self) -> bool {
        self.wake_state.load(Ordering::Acquire) & WOKEN != 0
    }

    pub(super) fn leave_committed(
        &self,
        results: impl IntoIterator<Item = (Ticket, Result<Committed, CommitError>)>,
    ) {
        self.leave(|mail| mail.committed.extend(results));
    }

    pub(super) fn leave_found(&self, result: (Ticket, Result<Found, StoreError>, HeldRoom)) {
        self.leave(|mail| mail.found.push(result));
    }

    fn leave(&self, add: impl FnOnce(&mut PartitionMail)) {
        let mut content = self.content.lock();
        if content.is_open {
            add(&mut content.mail);
            drop(content);
            self.notify();
        }
    }

    /// Takes the mail in exchange for an empty one, whose room is used again.
    pub(super) fn take_mail(&self, into: &mut PartitionMail) {
        std::mem::swap(&mut self.content.lock().mail, into);
    }

    /// From now on `actor` is woken. It looks at once, for what was left meanwhile.
    pub(super) fn attach(&self, actor: ActorRef<PartitionMessage>) {
        self.content.lock().is_open = true;
        *self.actor.lock() = Some(actor);
        self.wake_state.store(WOKEN, Ordering::Release);
        self.send(PartitionMessage::Turn);
    }

    /// Forgets the actor, which has stopped, and drops the mail for it.
    pub(super) fn detach(&self) {
        let left = std::mem::take(&mut *self.content.lock());
        *self.actor.lock() = None;
        self.wake_state.store(ASLEEP, Ordering::Release);
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

#[cfg(test)]
mod tests {
    use super::*;
    use ractor::{Actor, ActorProcessingErr};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    /// Counts its messages.
    struct Counter(Arc<AtomicUsize>);

    impl Actor for Counter {
        type Msg = PartitionMessage;
        type State = ();
        type Arguments = ();

        async fn pre_start(
            &self,
            _: ActorRef<PartitionMessage>,
            (): (),
        ) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<PartitionMessage>,
            _: PartitionMessage,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            self.0.fetch_add(1, SeqCst);
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_left_during_a_turn_takes_no_message_and_is_not_missed() {
        let messages = Arc::new(AtomicUsize::new(0));
        let counter = Counter(Arc::clone(&messages));
        let (actor, ended) = Actor::spawn(None, counter, ()).await.expect("an actor starts");
        let mailbox = Mailbox::new();
        mailbox.attach(actor.clone()); // the first message
        mailbox.begin_looking();
        assert!(!mailbox.is_awake());
        (0..3).for_each(|_| mailbox.notify());
        assert!(mailbox.is_awake());
        assert!(mailbox.end_looking(), "the actor is to look again");
        (0..3).for_each(|_| mailbox.notify());
        mailbox.begin_looking();
        assert!(!mailbox.end_looking(), "it has seen everything");
        (0..3).for_each(|_| mailbox.notify()); // the second message
        actor.drain_and_wait(None).await.expect("it handles what it has");
        ended.await.expect("it does not panic");
        assert_eq!(messages.load(SeqCst), 2);
    }
}
