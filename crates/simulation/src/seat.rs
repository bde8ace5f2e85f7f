use super::SimShell;
use actum_host::{
    Moment,
    partition::{Cap, CapKeeper, CapMember, NextToLeave},
};
use std::cell::Cell;

/// What the cap on entities knows of one partition.
pub(crate) struct Seat {
    oldest_use: Cell<Moment>,
    keeps_cap: Cell<bool>,
}

/// The cap as a partition sees it in one turn.
pub(crate) struct SimCap<'a> {
    pub(crate) keeper: &'a CapKeeper,
    pub(crate) seats: &'a [Seat],
    pub(crate) mine: usize,
    pub(crate) shell: &'a SimShell<'a>,
}

impl Seat {
    pub(crate) fn new() -> Self {
        Self { oldest_use: Cell::new(Moment::NEVER), keeps_cap: Cell::new(false) }
    }

    pub(crate) fn set_oldest_use(&self, used: Moment) {
        self.oldest_use.set(used);
    }

    /// Whether the cap was handed here, so that its partition must take a turn.
    pub(crate) fn keeps_cap(&self) -> bool {
        self.keeps_cap.get()
    }
}

impl CapMember for Seat {
    fn oldest_use(&self) -> Moment {
        self.oldest_use.get()
    }

    fn hand_cap(&self) -> bool {
        self.keeps_cap.set(true);
        true
    }

    fn take_cap(&self) -> bool {
        self.keeps_cap.take()
    }
}

impl Cap for SimCap<'_> {
    fn is_mine(&self) -> bool {
        self.shell.commands_are_taken();
        self.keeper.is_mine(&self.seats[self.mine])
    }

    fn next(&self, oldest_use: Moment) -> NextToLeave {
        let mine = &self.seats[self.mine];
        mine.set_oldest_use(oldest_use);
        self.keeper.next(mine, || self.seats.iter().min_by_key(|seat| seat.oldest_use()))
    }

    fn end(&self) {
        self.keeper.end();
    }
}
