use crate::{Bound, Failure, cell::Job};
use actum_model::{Entity, EntityKey};
use parking_lot::Mutex;

/// The commands that wait for one kind of entity in one partition, in the order they came. Bounded.
///
/// It outlives the actor that empties it: commands that wait when a partition fails are served by its next life.
pub(crate) struct Inbox<E: Entity> {
    state: Mutex<State<E>>,
    commands_max: usize,
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
    pub(crate) fn new(commands_max: usize) -> Self {
        Self { state: Mutex::new(State { deliveries: Vec::new(), closed: None }), commands_max }
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

    /// Drops the commands that wait, which answers them.
    fn clear(&self);
}

impl<E: Entity> Refuses for Inbox<E> {
    fn refuse(&self, failure: Failure) {
        self.state.lock().closed = Some(failure);
    }

    fn reopen(&self) {
        self.state.lock().closed = None;
    }

    fn clear(&self) {
        let left = std::mem::take(&mut self.state.lock().deliveries);
        drop(left); // not under the lock: answering wakes callers
    }
}
