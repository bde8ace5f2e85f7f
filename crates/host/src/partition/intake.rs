use super::{
    Delivery, Inbox,
    taken::{Ended, WAITS_SLACK},
};
use crate::Load;
use actum_model::Entity;
use std::sync::Arc;

/// The commands of one kind that a partition has taken out of their inbox and not answered.
pub(super) struct Intake<E: Entity> {
    inbox: Arc<Inbox<E>>,
    load: Arc<Load>,
    /// Empty; its room is used again.
    room: Vec<Delivery<E>>,
    /// Waits that have ended, on their way out of the inbox; empty otherwise.
    ended: Ended,
    unanswered: usize,
    /// How many waits the inbox notes as taken.
    noted: usize,
}

impl<E: Entity> Intake<E> {
    /// Begins with none, whatever a former partition had taken.
    pub(super) fn new(inbox: Arc<Inbox<E>>, load: Arc<Load>) -> Self {
        inbox.forget_taken();
        Self { inbox, load, room: Vec::new(), ended: Ended::new(), unanswered: 0, noted: 0 }
    }

    pub(super) fn inbox(&self) -> &Inbox<E> {
        &self.inbox
    }

    /// Takes all that waits.
    pub(super) fn take(&mut self) -> Vec<Delivery<E>> {
        let mut taken = std::mem::take(&mut self.room);
        self.noted = self.inbox.take(&mut taken, self.unanswered, &mut self.ended);
        self.ended.clear(); // outside of the lock
        if !taken.is_empty() {
            self.unanswered += taken.len(); // all at once: those after one that fails the partition are dropped with it
            self.inbox.run.set_unanswered(self.unanswered);
        }
        taken
    }

    /// Takes the vector back that was taken, for its room.
    pub(super) fn reuse(&mut self, emptied: Vec<Delivery<E>>) {
        debug_assert!(emptied.is_empty(), "what was taken has been handled");
        self.room = emptied;
    }

    /// Counts commands that were answered.
    pub(super) fn answered(&mut self, commands: usize) {
        self.unanswered -= commands;
        self.inbox.run.set_unanswered(self.unanswered);
        self.load.answered(commands);
    }

    /// Lets waits go that have ended, once there are many.
    pub(super) fn tidy(&mut self) {
        if self.noted > 2 * self.unanswered + WAITS_SLACK {
            self.noted = self.inbox.tidy(self.unanswered, &mut self.ended);
            self.ended.clear(); // outside of the lock
        }
    }

    /// How many commands were taken and are not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered
    }
}

impl<E: Entity> Drop for Intake<E> {
    /// A partition that fails answers nothing any more.
    fn drop(&mut self) {
        self.inbox.forget_taken();
        self.load.answered(self.unanswered);
    }
}
