use super::batch::position;
use actum_model::{Lane, Position};
use actum_persistence::store::{JournalEvent, LanePage};
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
        events_max: usize,
        bytes_max: usize,
        is_held_back: impl Fn(&JournalEvent) -> bool,
    ) -> Vec<JournalEvent> {
        let mut bytes = 0;
        let wanted = self.events.iter().filter(|event| !is_held_back(event)).take(events_max);
        let fits = |event: &&JournalEvent| {
            let is_first = bytes == 0;
            bytes += event.event.bytes().max(1);
            is_first || bytes <= bytes_max
        };
        wanted.take_while(fits).cloned().collect()
    }

    /// Removes everything up to this position.
    pub(super) fn take(&mut self, up_to: Position) {
        while self.events.front().is_some_and(|event| position(event) <= up_to) {
            self.events.pop_front();
        }
    }
}
