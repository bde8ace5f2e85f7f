use crate::{Moment, cell::Ticket};
use std::collections::BTreeSet;

/// When something is due in the cells of one kind, besides their idle times: flush windows and deadlines.
pub(super) struct DueTimes {
    /// Cells whose staged changes wait for the flush window, and when that ends.
    windows: BTreeSet<(Moment, Ticket)>,
    /// Cells with commands that callers may wait for: checked when a deadline is due.
    awaited: Vec<u32>,
    /// No deadline of them is earlier.
    deadline: Moment,
}

impl DueTimes {
    pub(super) fn none() -> Self {
        Self { windows: BTreeSet::new(), awaited: Vec::new(), deadline: Moment::NEVER }
    }

    /// When the first of them is due.
    pub(super) fn first(&self) -> Moment {
        self.windows.first().map_or(self.deadline, |(ends, _)| self.deadline.min(*ends))
    }

    pub(super) fn add_window(&mut self, ends: Moment, ticket: Ticket) {
        self.windows.insert((ends, ticket));
    }

    /// Takes a window that has ended out; says whose it was.
    pub(super) fn next_window(&mut self, now: Moment) -> Option<Ticket> {
        let (ends, ticket) = *self.windows.first()?;
        if ends > now {
            return None;
        }
        self.windows.pop_first();
        Some(ticket)
    }

    pub(super) fn add_deadline(&mut self, deadline: Moment) {
        self.deadline = self.deadline.min(deadline);
    }

    pub(super) fn add_awaited(&mut self, slot: u32) {
        self.awaited.push(slot);
    }

    /// Takes the cells out that callers may wait for, if a deadline has passed. Those that are still waited for come
    /// back, by [`Self::put_awaited`], and their deadlines.
    pub(super) fn take_awaited(&mut self, now: Moment) -> Option<Vec<u32>> {
        if now < self.deadline {
            return None;
        }
        self.deadline = Moment::NEVER;
        Some(std::mem::take(&mut self.awaited))
    }

    pub(super) fn put_awaited(&mut self, awaited: Vec<u32>) {
        self.awaited = awaited;
    }
}
