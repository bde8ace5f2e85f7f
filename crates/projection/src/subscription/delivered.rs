use actum_model::{Lane, Offset, Position};
use actum_persistence::store::EventId;
use std::fmt;

/// What a subscription has made of an event, and where the event is.
#[must_use]
pub struct Delivered<T> {
    pub(super) event: T,
    pub(super) at: DeliveredAt,
}

/// Where a delivered event is.
#[derive(Clone, Debug)]
pub(super) struct DeliveredAt {
    pub(super) event_id: EventId,
    pub(super) lane: Lane,
    pub(super) position: Position,
    /// Behind it, and behind everything that was read before it.
    pub(super) offset: Offset,
}

impl<T> Delivered<T> {
    /// What was made of the event.
    #[must_use]
    pub fn event(&self) -> &T {
        &self.event
    }

    /// What was made of the event.
    #[must_use]
    pub fn into_event(self) -> T {
        self.event
    }

    /// What names the event, for ever and in every copy of the journal.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.at.event_id
    }

    /// Its lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.at.lane
    }

    /// Its place in the lane.
    #[must_use]
    pub fn position(&self) -> Position {
        self.at.position
    }

    /// How far was read when it came: another subscription that begins behind this gets what comes after it, and nothing twice.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        &self.at.offset
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivered").field("event", &self.event).field("at", &self.at).finish()
    }
}
