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
    closed: Option<Failure>,
}

/// A command and whom it is for.
pub(crate) struct Delivery<E: Entity> {
    pub(crate) key: EntityKey,
    pub(crate) job: Box<dyn Job<E>>,
}

impl<E: Entity> Inbox<E> {
    pub(crate) fn new(commands_max: usize, load: Arc<Load>) -> Self {
        let state = Mutex::new(State { deliveries: Vec::new(), closed: None });
        Self { state, commands_max, load }
    }

    /// Adds a command; gives it back with the reason when it is not taken.
    pub(crate) fn push(&self, delivery: Delivery<E>) -> Result<(), (Delivery<E>, Failure)> {
        let mut state = self.state.lock();
        if let Some(failure) = &state.closed {
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
    /// Refuses all commands from now on, with this failure.
    fn refuse(&self, failure: Failure);

    /// Takes commands again.
    fn reopen(&self);

    /// Drops the commands that wait, which answers them; says how many that were.
    fn clear(&self) -> usize;

    /// Answers commands whose callers have stopped waiting, for a partition that is down.
    fn expire(&self, now: Moment);
}

impl<E: Entity> Refuses for Inbox<E> {
    fn refuse(&self, failure: Failure) {
        self.state.lock().closed = Some(failure);
    }

    fn reopen(&self) {
        self.state.lock().closed = None;
    }

    fn clear(&self) -> usize {
        let left = std::mem::take(&mut self.state.lock().deliveries);
        self.load.answered(left.len());
        left.len() // dropped outside the lock: answering wakes callers
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
