use super::Shell;
use crate::{Moment, Observer};
use actum_model::{Lane, Partition, Timestamp};

/// What one turn of a partition is about.
#[derive(Clone, Copy)]
pub struct TurnContext<'a> {
    /// The clock as it was read last: as the turn began, as commands were taken, after each of them, and before and after
    /// what a read brought.
    pub now: Moment,
    pub wall: Timestamp,
    pub partition: Partition,
    pub lane: Lane,
    /// How many bytes of changes may still be staged.
    pub room: usize,
    pub shell: &'a dyn Shell,
    /// Who sees what happens, if anyone does.
    pub observer: Option<&'a dyn Observer>,
}

impl TurnContext<'_> {
    /// Shows something to the observer, if there is one.
    pub(super) fn observe(&self, show: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = self.observer {
            show(observer);
        }
    }
}
