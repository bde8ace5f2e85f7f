use super::batch::position;
use actum_model::{Lane, Position};
use actum_persistence::store::{JournalEvent, LanePage, PageLimit, PageRoom};
use std::collections::VecDeque;

/// What is left of a page of a lane.
#[derive(Debug)]
pub(super) struct LeftOfPage {
    pub(super) lane: Lane,
    pub(super) events: VecDeque<JournalEvent>,
    pub(super) read_to: Position,
}

impl LeftOfPage {
    pub(super) fn new(lane: Lane, page: LanePage) -> Self {
        Self { lane, events: page.events.into(), read_to: page.read_to }
    }

    /// The first events that make a batch: in order, without those of which `is_held_back` says so; as many as fit. How many
    /// of the page they reach over is to be [taken](Self::take) behind them.
    pub(super) fn batch(
        &self,
        limit: PageLimit,
        is_held_back: impl Fn(&JournalEvent) -> bool,
    ) -> Vec<JournalEvent> {
        let mut room = PageRoom::new(limit);
        let wanted = self.events.iter().filter(|event| !is_held_back(event));
        wanted.take_while(|event| room.take(&event.event)).cloned().collect()
    }

    /// Removes everything up to this position.
    pub(super) fn take(&mut self, up_to: Position) {
        while self.events.front().is_some_and(|event| position(event) <= up_to) {
            self.events.pop_front();
        }
    }
}
