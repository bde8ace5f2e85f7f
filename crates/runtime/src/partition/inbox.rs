use super::taken::{Entry, SlowRun, Taken, end_all, is_open};
use crate::{
    Bound, Failure,
    cell::{AskStage, EarlyEnd, Job, Moment},
    load::Load,
};
use actum_model::{Entity, EntityKey};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// The commands that wait for one kind of entity in one partition, in the order they came. Bounded.
///
/// It outlives the actor that empties it: commands that wait when a partition fails are served by its next life.
pub(crate) struct Inbox<E: Entity> {
    state: Mutex<State<E>>,
    commands_max: usize,
    load: Arc<Load>,
    /// What was taken out of it.
    pub(super) taken: Taken,
}

struct State<E: Entity> {
    deliveries: Vec<Delivery<E>>,
    /// No deadline of them is earlier.
    earliest: Moment,
    entrance: Entrance,
}

/// Whether commands come in, or why not.
enum Entrance {
    Open,
    /// Until it is opened again.
    Suspended(Failure),
    /// For good.
    Closed(Failure),
}

/// A command and whom it is for.
pub(crate) struct Delivery<E: Entity> {
    pub(crate) key: EntityKey,
    pub(crate) job: Box<dyn Job<E>>,
}

impl<E: Entity> Inbox<E> {
    pub(crate) fn new(commands_max: usize, load: Arc<Load>) -> Self {
        let (deliveries, earliest) = (Vec::new(), Moment::NEVER);
        let state = Mutex::new(State { deliveries, earliest, entrance: Entrance::Open });
        Self { state, commands_max, load, taken: Taken::new() }
    }

    /// Adds a command; gives it back with the reason when it is not taken.
    pub(crate) fn push(&self, delivery: Delivery<E>) -> Result<(), (Delivery<E>, Failure)> {
        let mut state = self.state.lock();
        if let Entrance::Suspended(failure) | Entrance::Closed(failure) = &state.entrance {
            let failure = failure.clone();
            return Err((delivery, failure));
        }
        if state.deliveries.len() >= self.commands_max {
            return Err((delivery, Failure::Overloaded { bound: Bound::PartitionCommands }));
        }
        state.earliest = state.earliest.min(delivery.job.envelope().deadline);
        state.deliveries.push(delivery);
        Ok(())
    }

    /// Takes all commands in exchange for an empty vector, whose room is used again.
    pub(crate) fn take(&self, into: &mut Vec<Delivery<E>>) {
        debug_assert!(into.is_empty(), "what was taken before has been handled");
        let mut state = self.state.lock();
        std::mem::swap(&mut state.deliveries, into);
        state.earliest = Moment::NEVER;
    }
}

impl<E: Entity> Delivery<E> {
    /// What is noted of it while it is handled.
    pub(super) fn entry(&self) -> Entry {
        Entry { command: self.job.command(), ask: self.job.open_ask() }
    }
}

/// An inbox of whatever kind that can be made to refuse commands.
pub(crate) trait Refuses: Send + Sync {
    /// Refuses all commands with this failure until it is reopened, unless it is closed.
    fn suspend(&self, failure: Failure);

    /// Takes commands again, unless it is closed.
    fn reopen(&self);

    /// Refuses all commands for good, with the failure of the last call.
    fn close(&self, failure: Failure);

    /// Answers the commands that wait with the failure it was closed with; says how many that were. Does nothing before.
    fn clear(&self) -> usize;

    /// Answers commands whose callers have stopped waiting, for a partition that is down.
    fn expire(&self, now: Moment);

    /// Ends the waits whose deadline has passed, of commands that wait here and of those that were taken, and leaves the
    /// commands where they are: for a partition that is stuck.
    fn end_late(&self, now: Moment);

    /// Ends the waits of commands that were taken, and lets none of them be begun any more: for a partition that is not
    /// waited for any longer. Says how many commands were held and not answered.
    fn give_up(&self, reason: &'static str) -> usize;

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
        if !matches!(state.entrance, Entrance::Closed(_)) {
            state.entrance = Entrance::Suspended(failure);
        }
    }

    fn reopen(&self) {
        let mut state = self.state.lock();
        if !matches!(state.entrance, Entrance::Closed(_)) {
            state.entrance = Entrance::Open;
        }
    }

    fn close(&self, failure: Failure) {
        self.state.lock().entrance = Entrance::Closed(failure);
    }

    fn clear(&self) -> usize {
        let (left, failure) = {
            let mut state = self.state.lock();
            let Entrance::Closed(failure) = &state.entrance else { return 0 };
            let failure = failure.clone();
            (std::mem::take(&mut state.deliveries), failure)
        };
        self.load.answered(left.len());
        let mut count = 0;
        for Delivery { job, .. } in left {
            let was_ended = job.open_ask().is_some_and(|ask| ask.stage() == AskStage::Ended);
            count += usize::from(!was_ended);
            job.settle(Err(failure.clone())); // outside the lock: answering wakes callers
        }
        count
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
        self.end_late_here(now);
        self.taken.end_late(now);
    }

    fn give_up(&self, reason: &'static str) -> usize {
        self.taken.give_up(reason)
    }

    fn is_slow(&self, limit: Duration, now: Moment) -> bool {
        self.taken.is_slow(limit, now)
    }

    fn slow_run(&self, limit: Duration, now: Moment) -> Option<SlowRun> {
        self.taken.slow_run(limit, now)
    }

    fn kind(&self) -> &'static str {
        E::KIND
    }
}

impl<E: Entity> Inbox<E> {
    fn end_late_here(&self, now: Moment) {
        let mut late = Vec::new();
        {
            let mut state = self.state.lock();
            if state.earliest > now {
                return;
            }
            let mut next = Moment::NEVER;
            for Delivery { job, .. } in &state.deliveries {
                let deadline = job.envelope().deadline;
                if deadline > now {
                    next = next.min(deadline);
                } else if let Some(ask) = job.open_ask().filter(|ask| is_open(ask.stage())) {
                    late.push(ask);
                }
            }
            state.earliest = next;
        }
        end_all(late, EarlyEnd::Late); // outside the lock: it wakes callers
    }
}
