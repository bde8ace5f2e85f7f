use super::{
    handler_run::{HandlerRun, RunStep},
    taken::{Ended, Entry, Taken, end_all, is_open},
};
use crate::{
    Bound, Failure, Load, Moment,
    cell::{AskStage, EarlyEnd, GivenUp, Job, OpenAsk},
};
use actum_model::{Entity, EntityKey, Partition};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// The commands that wait for one kind of entity in one partition, in the order they came. Bounded.
///
/// It outlives the actor that empties it: commands that wait when a partition fails are served by its next life.
pub struct Inbox<E: Entity> {
    state: Mutex<InboxState<E>>,
    commands_max: usize,
    load: Arc<Load>,
    /// What the partition does with what it took.
    pub(super) run: HandlerRun,
}

struct InboxState<E: Entity> {
    deliveries: Vec<Delivery<E>>,
    /// No deadline of them is earlier.
    earliest: Moment,
    /// What was taken out of it.
    taken: Taken,
    access: Access,
    /// Whether the partition is open in this engine.
    is_here: bool,
}

/// Whether commands come in, or why not.
enum Access {
    Open,
    /// Until it is opened again.
    Suspended(Failure),
    /// For good.
    Closed(Failure),
}

/// Why a command did not come in.
#[derive(Clone, Debug)]
pub enum NotTaken {
    /// It is refused.
    Refused(Failure),
    /// The partition is not open here; it may be elsewhere.
    NotHere,
}

impl NotTaken {
    /// What it is to a caller whose command can go nowhere else.
    pub fn into_failure(self, partition: Partition) -> Failure {
        match self {
            Self::Refused(failure) => failure,
            Self::NotHere => {
                Failure::unavailable(format!("the entity's partition {partition} is not open here"))
            }
        }
    }
}

/// A handler that has run for too long.
pub struct SlowRun {
    pub command: &'static str,
    pub ran_for: Duration,
}

/// A command and whom it is for.
pub struct Delivery<E: Entity> {
    pub key: EntityKey,
    pub job: Box<dyn Job<E>>,
}

impl<E: Entity> Inbox<E> {
    pub fn new(commands_max: usize, load: Arc<Load>) -> Self {
        let state = Mutex::new(InboxState {
            deliveries: Vec::new(),
            earliest: Moment::NEVER,
            taken: Taken::new(),
            access: Access::Open,
            is_here: true,
        });
        Self { state, commands_max, load, run: HandlerRun::new() }
    }

    /// Adds a command; gives it back with the reason when it is not taken.
    pub fn push(&self, delivery: Delivery<E>) -> Result<(), (Delivery<E>, NotTaken)> {
        let deadline = delivery.job.envelope().deadline;
        let mut state = self.state.lock();
        if let Some(why) = state.not_open() {
            return Err((delivery, why));
        }
        if state.deliveries.len() >= self.commands_max {
            let full = Failure::Overloaded { bound: Bound::PartitionCommands };
            return Err((delivery, NotTaken::Refused(full)));
        }
        state.earliest = state.earliest.min(deadline);
        state.deliveries.push(delivery);
        Ok(())
    }

    /// Takes all commands in exchange for an empty vector, whose room is used again, and notes them as taken by a
    /// partition that held `unanswered` before. Says how many waits are noted, and hands over some that have ended.
    pub(super) fn take(
        &self,
        into: &mut Vec<Delivery<E>>,
        unanswered: usize,
        ended: &mut Ended,
    ) -> usize {
        debug_assert!(into.is_empty(), "what was taken before has been handled");
        let mut state = self.state.lock();
        let InboxState { deliveries, taken, earliest, .. } = &mut *state;
        if !deliveries.is_empty() {
            std::mem::swap(deliveries, into);
            let earliest = std::mem::replace(earliest, Moment::NEVER);
            taken.note(into.iter().map(Delivery::entry), earliest, unanswered, ended);
        }
        taken.len()
    }

    /// Hands over waits that have ended; says how many are still noted.
    pub(super) fn tidy(&self, unanswered: usize, ended: &mut Ended) -> usize {
        let mut state = self.state.lock();
        state.taken.tidy(unanswered, ended);
        state.taken.len()
    }

    /// Notes which commands are handled next because their entity has recovered.
    pub(super) fn note_resumed(&self, commands: impl Iterator<Item = &'static str>) {
        let resumed = &mut self.state.lock().taken.resumed;
        resumed.clear();
        resumed.extend(commands);
    }

    /// Answers commands that were not taken; says how many callers had no answer yet. To be called outside the lock:
    /// answering wakes callers.
    fn answer(&self, left: Vec<Delivery<E>>, failure: &Failure) -> usize {
        self.load.answered(left.len());
        let mut count = 0;
        for Delivery { job, .. } in left {
            let was_ended = job.open_ask().is_some_and(|ask| ask.stage() == AskStage::Ended);
            count += usize::from(!was_ended);
            job.settle(Err(failure.clone()));
        }
        count
    }

    /// Forgets what was taken: it was dropped with the partition.
    pub(super) fn forget_taken(&self) {
        self.run.ends();
        self.run.set_unanswered(0);
        let taken = std::mem::replace(&mut self.state.lock().taken, Taken::new());
        drop(taken); // outside the lock
    }
}

impl<E: Entity> Delivery<E> {
    /// What is noted of it while it is handled.
    pub(super) fn entry(&self) -> Entry {
        Entry { command: self.job.command(), ask: self.job.open_ask() }
    }
}

/// An inbox of whatever kind that can be made to refuse commands.
pub trait Refuses: Send + Sync {
    /// Refuses all commands with this failure until it is reopened, unless it is closed.
    fn suspend(&self, failure: Failure);

    /// Takes commands again, unless it is closed.
    fn reopen(&self);

    /// Refuses all commands for good, with the failure of the last call.
    fn close(&self, failure: Failure);

    /// Lets commands in, and lets them be begun: the partition is open here. What refuses them otherwise goes on doing so.
    fn open_here(&self);

    /// Lets no command in: the partition is not open here. Those that wait stay.
    fn close_here(&self);

    /// Answers the commands that wait with the failure it was closed with; says how many that were. Does nothing before.
    fn clear(&self) -> usize;

    /// Answers the commands that wait with the failure it was closed with, or with this one; says how many that were. For a
    /// partition that is not open here.
    fn clear_with(&self, failure: &Failure) -> usize;

    /// Answers commands whose callers have stopped waiting, for a partition that is down.
    fn expire(&self, now: Moment);

    /// Ends the waits whose deadline has passed, of commands that wait here and of those that were taken, and leaves the
    /// commands where they are: for a partition that is stuck.
    fn end_late(&self, now: Moment);

    /// Ends the waits of commands that were taken, and lets none of them be begun any more: for a partition that is not
    /// waited for any longer. Says how many commands were held and not answered.
    fn give_up(&self, why: &GivenUp) -> usize;

    /// Whether a handler has run for longer than `limit`.
    fn is_slow(&self, limit: Duration, now: Moment) -> bool;

    /// The handler that has run for longer than `limit`, once a run.
    fn slow_run(&self, limit: Duration, now: Moment) -> Option<SlowRun>;

    /// The kind of entity it is for.
    fn kind(&self) -> &'static str;
}

impl<E: Entity> Refuses for Inbox<E> {
    fn suspend(&self, failure: Failure) {
        let mut state = self.state.lock();
        if !matches!(state.access, Access::Closed(_)) {
            state.access = Access::Suspended(failure);
        }
    }

    fn reopen(&self) {
        let mut state = self.state.lock();
        if !matches!(state.access, Access::Closed(_)) {
            state.access = Access::Open;
        }
    }

    fn close(&self, failure: Failure) {
        self.state.lock().access = Access::Closed(failure);
    }

    fn open_here(&self) {
        self.run.begin_again();
        self.state.lock().is_here = true;
    }

    fn close_here(&self) {
        self.state.lock().is_here = false;
    }

    fn clear(&self) -> usize {
        let mut state = self.state.lock();
        let Access::Closed(failure) = &state.access else { return 0 };
        let failure = failure.clone();
        let left = std::mem::take(&mut state.deliveries);
        drop(state);
        self.answer(left, &failure)
    }

    fn clear_with(&self, failure: &Failure) -> usize {
        let mut state = self.state.lock();
        let failure = match &state.access {
            Access::Closed(failure) => failure.clone(),
            _ => failure.clone(),
        };
        let left = std::mem::take(&mut state.deliveries);
        drop(state);
        self.answer(left, &failure)
    }

    fn expire(&self, now: Moment) {
        let is_late = |delivery: &mut Delivery<E>| delivery.job.envelope().deadline <= now;
        let late: Vec<_> = self.state.lock().deliveries.extract_if(.., is_late).collect();
        self.load.answered(late.len());
        for Delivery { job, .. } in late {
            job.settle(Err(Failure::Timeout { maybe_applied: false }));
        }
    }

    fn end_late(&self, now: Moment) {
        let late = {
            let mut state = self.state.lock();
            let mut late = state.late(now);
            late.append(&mut state.taken.late(now));
            late
        };
        end_all(&late, EarlyEnd::Late); // outside the lock: it wakes callers
    }

    fn give_up(&self, why: &GivenUp) -> usize {
        self.run.give_up();
        let noted: Vec<_> = self.state.lock().taken.asks().map(Arc::clone).collect();
        let answered = noted.iter().filter(|ask| ask.stage() == AskStage::Ended).count();
        let held = self.run.unanswered();
        end_all(&noted, EarlyEnd::Abandoned(why)).max(held.saturating_sub(answered))
    }

    fn is_slow(&self, limit: Duration, now: Moment) -> bool {
        self.run.slow(limit, now).is_some()
    }

    fn slow_run(&self, limit: Duration, now: Moment) -> Option<SlowRun> {
        let (step, since) = self.run.slow(limit, now)?;
        let command = match step {
            RunStep::Command(at) => self.state.lock().taken.command(at)?,
            RunStep::Resumed(at) => *self.state.lock().taken.resumed.get(at)?,
            other => other.name()?,
        };
        // it may have ended meanwhile, and then it is named when it has
        let is_same = self.run.slow(limit, now) == Some((step, since));
        let ran_for = now.since(since);
        (is_same && self.run.is_new(since)).then_some(SlowRun { command, ran_for })
    }

    fn kind(&self) -> &'static str {
        E::KIND
    }
}

impl<E: Entity> InboxState<E> {
    /// Why commands do not come in, whatever room there is.
    fn not_open(&self) -> Option<NotTaken> {
        match &self.access {
            Access::Closed(failure) => Some(NotTaken::Refused(failure.clone())),
            _ if !self.is_here => Some(NotTaken::NotHere),
            Access::Suspended(failure) => Some(NotTaken::Refused(failure.clone())),
            Access::Open => None,
        }
    }

    /// The open waits of commands in the inbox whose deadline has passed.
    fn late(&mut self, now: Moment) -> Vec<Arc<dyn OpenAsk>> {
        let mut late = Vec::new();
        if self.earliest > now {
            return late;
        }
        let mut next = Moment::NEVER;
        for Delivery { job, .. } in &self.deliveries {
            let deadline = job.envelope().deadline;
            if deadline > now {
                next = next.min(deadline);
            } else if let Some(ask) = job.open_ask().filter(|ask| is_open(ask.stage())) {
                late.push(ask);
            }
        }
        self.earliest = next;
        late
    }
}
