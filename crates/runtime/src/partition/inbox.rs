use crate::{
    Bound, Failure,
    cell::{Job, Moment},
    load::Load,
};
use actum_model::{Entity, EntityKey};
use parking_lot::Mutex;
use std::sync::Arc;

/// The commands that wait for one kind of entity in one partition, in the order they came. Bounded.
///
/// It outlives the actor that empties it: commands that wait when a partition fails are served by its next life.
pub(crate) struct Inbox<E: Entity> {
    state: Mutex<State<E>>,
    commands_max: usize,
    load: Arc<Load>,
}

struct State<E: Entity> {
    deliveries: Vec<Delivery<E>>,
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
        let state = Mutex::new(State { deliveries: Vec::new(), entrance: Entrance::Open });
        Self { state, commands_max, load }
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
        state.deliveries.push(delivery);
        Ok(())
    }

    /// Takes all commands in exchange for an empty vector, whose room is used again.
    pub(crate) fn take(&self, into: &mut Vec<Delivery<E>>) {
        debug_assert!(into.is_empty(), "what was taken before has been handled");
        std::mem::swap(&mut self.state.lock().deliveries, into);
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
        let count = left.len();
        self.load.answered(count);
        for Delivery { job, .. } in left {
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
}
