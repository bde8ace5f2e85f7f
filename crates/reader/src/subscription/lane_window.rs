use actum_model::Position;
use actum_persistence::{progress::LastRead, store::EventId};
use std::collections::BTreeMap;

/// The events of a lane from the oldest one that is not settled on.
#[derive(Debug)]
pub(super) struct LaneWindow {
    read_to: Position,
    events: BTreeMap<Position, InWindow>,
    /// The last event in front of all of them.
    last: Option<LastRead>,
}

#[derive(Debug)]
struct InWindow {
    event_id: EventId,
    is_settled: bool,
}

impl LaneWindow {
    /// Everything up to here is settled.
    pub(super) fn new(read_to: Position) -> Self {
        Self { read_to, events: BTreeMap::new(), last: None }
    }

    pub(super) fn add(&mut self, position: Position, event_id: EventId) {
        self.events.insert(position, InWindow { event_id, is_settled: false });
    }

    /// Everything up to here was added or skipped.
    pub(super) fn reach(&mut self, read_to: Position) {
        self.read_to = self.read_to.max(read_to);
    }

    pub(super) fn read_to(&self) -> Position {
        self.read_to
    }

    pub(super) fn settle(&mut self, position: Position) {
        if let Some(event) = self.events.get_mut(&position) {
            event.is_settled = true;
        }
        while let Some(first) = self.events.first_entry().filter(|it| it.get().is_settled) {
            let position = *first.key();
            let event_id = first.remove().event_id;
            self.last = Some(LastRead { position, event_id });
        }
    }

    /// How far everything is settled: in front of the oldest event that is not.
    pub(super) fn settled_to(&self) -> Position {
        let first = self.events.keys().next();
        first.map_or(self.read_to, |first| Position::new(first.get() - 1))
    }

    /// The last event that is settled, and everything in front of it.
    pub(super) fn last(&self) -> Option<LastRead> {
        self.last
    }

    /// How many events are in it, settled ones included.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}
