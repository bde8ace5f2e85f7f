use super::{
    PartitionTable,
    mailbox::{Mailbox, PartitionMail, PartitionMessage},
    state::PartitionState,
};
use crate::{
    alarm::{Alarm, Scheduled},
    journal::{HeldRoom, ReadSink},
    term::Term,
};
use actum_host::{
    Failure, Moment,
    cell::{GivenUp, Ticket},
    partition::{Found, Refuses},
};
use actum_model::{Lane, Partition};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use parking_lot::Mutex;
use ractor::ActorRef;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Everything of a partition that outlives its actor: its mailbox, the inboxes of all kinds, its lease term, its turns.
pub(crate) struct PartitionHandle {
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
    mailbox: Mailbox,
    /// One a kind, in the order of the kinds.
    inboxes: Box<[Arc<dyn Refuses>]>,
    state: AtomicU8,
    /// Of the actor that is attached, or attached next.
    term: Mutex<Arc<Term>>,
    due: AtomicU64,
    oldest_use: AtomicU64,
    keeps_cap: AtomicBool,
    alarm: Arc<Alarm>,
    generations: AtomicU32,
    /// How many writes were sent and are not settled, those of former actors included.
    unsettled: AtomicUsize,
    /// How often the journal was found to have lost something.
    regressions: AtomicU64,
    /// Counts up as a turn begins and as it ends: odd while one is under way.
    turns: AtomicU64,
    /// Commands that were failed because the partition was abandoned.
    abandoned: AtomicUsize,
    /// What the actor still produces is not wanted any more.
    given_up: AtomicBool,
}

/// The partitions of an engine.
pub(crate) type PartitionHandles = PartitionTable<Arc<PartitionHandle>>;

impl PartitionHandle {
    /// One that is closed.
    pub(crate) fn new(
        partition: Partition,
        lane: Lane,
        inboxes: Box<[Arc<dyn Refuses>]>,
        term: Arc<Term>,
        alarm: Arc<Alarm>,
    ) -> Self {
        inboxes.iter().for_each(|inbox| inbox.close_here());
        Self {
            partition,
            lane,
            mailbox: Mailbox::new(),
            inboxes,
            state: AtomicU8::new(PartitionState::Closed.as_u8()),
            term: Mutex::new(term),
            due: AtomicU64::new(Moment::NEVER.as_micros()),
            oldest_use: AtomicU64::new(Moment::NEVER.as_micros()),
            keeps_cap: AtomicBool::new(false),
            alarm,
            generations: AtomicU32::new(0),
            unsettled: AtomicUsize::new(0),
            regressions: AtomicU64::new(0),
            turns: AtomicU64::new(0),
            abandoned: AtomicUsize::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    pub(crate) fn state(&self) -> PartitionState {
        PartitionState::of_u8(self.state.load(Ordering::Acquire))
    }

    pub(crate) fn set_state(&self, state: PartitionState) {
        self.state.store(state.as_u8(), Ordering::SeqCst);
    }

    /// Where its commands enter, one a kind.
    pub(crate) fn inboxes(&self) -> &[Arc<dyn Refuses>] {
        &self.inboxes
    }

    /// The term the next actor serves in.
    pub(crate) fn term(&self) -> Arc<Term> {
        Arc::clone(&self.term.lock())
    }

    /// Lets commands in, for an actor that serves in this term.
    pub(crate) fn open(&self, term: Arc<Term>) {
        *self.term.lock() = term;
        self.given_up.store(false, Ordering::Release);
        self.abandoned.store(0, Ordering::Release);
        self.inboxes.iter().for_each(|inbox| inbox.open_here());
    }

    /// Lets no command in any more.
    pub(crate) fn close(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.close_here());
    }

    /// Answers the commands that wait in the inboxes with `failure`, or with what the engine was closed with; says how many
    /// that were.
    pub(crate) fn clear(&self, failure: &Failure) -> usize {
        self.inboxes.iter().map(|inbox| inbox.clear_with(failure)).sum()
    }

    /// Answers late commands, for a partition that is down.
    pub(crate) fn expire(&self, now: Moment) {
        self.inboxes.iter().for_each(|inbox| inbox.expire(now));
    }

    /// Ends all waits for an actor that will not answer, and lets it begin and write nothing any more. Says how many
    /// commands it holds that were not answered.
    pub(crate) fn give_up(&self, why: &GivenUp) -> usize {
        self.given_up.store(true, Ordering::Release);
        self.inboxes.iter().map(|inbox| inbox.give_up(why)).sum()
    }

    /// Whether what the actor produces is not wanted any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// Counts commands that the actor has failed because it was to abandon them.
    pub(crate) fn note_abandoned(&self, commands: usize) {
        self.abandoned.fetch_add(commands, Ordering::AcqRel);
    }

    /// How many commands were abandoned since the last call.
    pub(crate) fn take_abandoned(&self) -> usize {
        self.abandoned.swap(0, Ordering::AcqRel)
    }

    /// Wakes the actor after something was left for it.
    pub(crate) fn notify(&self) {
        self.mailbox.notify();
    }

    /// Whether the actor was woken and has not looked since.
    pub(crate) fn is_awake(&self) -> bool {
        self.mailbox.is_awake()
    }

    /// Sends the actor a message of its own, if there is one.
    pub(crate) fn send(&self, message: PartitionMessage) {
        self.mailbox.send(message);
    }

    pub(crate) fn leave_committed(&self, results: Vec<(Ticket, Result<Committed, CommitError>)>) {
        self.unsettled.fetch_sub(results.len(), Ordering::AcqRel);
        self.mailbox.leave_committed(results);
    }

    /// Counts writes that are about to be sent.
    pub(super) fn note_sent(&self, writes: usize) {
        self.unsettled.fetch_add(writes, Ordering::AcqRel);
    }

    /// Whether writes were sent that are not settled: an entity that recovers now may miss what they are going to store.
    pub(crate) fn has_unsettled(&self) -> bool {
        self.unsettled.load(Ordering::Acquire) > 0
    }

    /// Begins a turn and takes the mail for it.
    pub(super) fn begin_turn_with(&self, mail: &mut PartitionMail) {
        self.begin_turn();
        self.mailbox.begin_looking();
        self.mailbox.take_mail(mail);
    }

    /// Ends a turn. `true` when something was left meanwhile: the actor takes another turn by itself, or
    /// [later](Self::take_turn_later).
    pub(super) fn has_more(&self) -> bool {
        self.mailbox.end_looking()
    }

    /// Lets the other messages to the actor come before its next turn.
    pub(super) fn take_turn_later(&self) {
        self.mailbox.send(PartitionMessage::Turn);
    }

    /// Says that the actor is at work until [`PartitionHandle::end_turn`].
    pub(super) fn begin_turn(&self) {
        self.set_turns(|turns| turns | 1);
    }

    pub(super) fn end_turn(&self) {
        self.set_turns(|turns| (turns | 1) + 1);
    }

    /// Only the actor of this partition does that.
    fn set_turns(&self, change: impl FnOnce(u64) -> u64) {
        self.turns.store(change(self.turns.load(Ordering::Relaxed)), Ordering::Release);
    }

    /// How often a turn has begun or ended; odd while one is under way.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::Acquire)
    }

    /// From now on `actor` serves the partition.
    pub(crate) fn attach(&self, actor: ActorRef<PartitionMessage>) {
        self.end_turn(); // that of a former actor
        self.mailbox.attach(actor);
    }

    /// Forgets the actor, which has stopped, with everything that was for it alone.
    pub(crate) fn detach(&self) {
        self.mailbox.detach();
        self.end_turn();
        self.due.store(Moment::NEVER.as_micros(), Ordering::SeqCst);
        self.set_oldest_use(Moment::NEVER);
    }

    /// A number no cell of this partition had before.
    pub(super) fn next_generation(&self) -> u32 {
        self.generations.fetch_add(1, Ordering::Relaxed)
    }

    /// The journal has lost something: no command that is taken from now on is handled before its entity has recovered
    /// again. A number rather than a message, which would wait behind the turns of a busy actor.
    pub(crate) fn note_regression(&self) {
        self.regressions.fetch_add(1, Ordering::SeqCst);
        self.mailbox.wake();
    }

    /// How often the journal was found to have lost something.
    pub(super) fn regressions(&self) -> u64 {
        self.regressions.load(Ordering::SeqCst)
    }

    pub(super) fn set_due(&self, due: Moment) {
        self.due.store(due.as_micros(), Ordering::SeqCst);
        self.alarm.wanted(due);
    }

    /// When the least recently used cell of the partition was used, as far as it has said.
    pub(super) fn oldest_use(&self) -> Moment {
        Moment::from_micros(self.oldest_use.load(Ordering::Relaxed))
    }

    pub(super) fn set_oldest_use(&self, used: Moment) {
        self.oldest_use.store(used.as_micros(), Ordering::Relaxed);
    }

    /// Makes the partition the one that keeps the cap; says whether it will.
    pub(super) fn hand_cap(&self) -> bool {
        self.keeps_cap.store(true, Ordering::SeqCst);
        // one that closes meanwhile has either taken the cap back, or is seen here
        if self.state() == PartitionState::Closed && self.take_cap() {
            return false;
        }
        self.mailbox.wake();
        true
    }

    /// Takes the cap over, if it was handed here.
    pub(crate) fn take_cap(&self) -> bool {
        self.keeps_cap.load(Ordering::SeqCst) && self.keeps_cap.swap(false, Ordering::SeqCst)
    }
}

impl Scheduled for PartitionHandle {
    fn due(&self) -> Moment {
        Moment::from_micros(self.due.load(Ordering::SeqCst))
    }

    fn wake(&self) {
        self.due.store(Moment::NEVER.as_micros(), Ordering::Release);
        self.mailbox.wake(); // nothing was left under a lock, so no looking first
    }
}

impl ReadSink for PartitionHandles {
    fn found(
        &self,
        partition: Partition,
        ticket: Ticket,
        found: Result<Found, StoreError>,
        held: HeldRoom,
    ) {
        self[partition].mailbox.leave_found((ticket, found, held));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[tokio::test]
    async fn one_that_is_closed_takes_no_cap_and_one_that_is_open_takes_it_once() {
        let term = Arc::new(Term::new(Clock::start()));
        let (inboxes, alarm) = (Box::default(), Arc::new(Alarm::new()));
        let handle = PartitionHandle::new(Partition::new(0), Lane::default(), inboxes, term, alarm);
        assert_eq!(handle.state(), PartitionState::Closed);
        assert!(!handle.hand_cap() && !handle.take_cap());
        handle.set_state(PartitionState::Open);
        assert!(handle.hand_cap() && handle.take_cap() && !handle.take_cap());
    }
}
