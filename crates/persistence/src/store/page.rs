use super::{
    JournalEvent, StoreError, StoredEvent,
    bounds::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX},
};
use actum_model::{EntityKey, Position, SequenceNr};
use std::num::NonZeroU32;

/// How much one read returns at most: whichever of the two is reached first, but always at least one event. An engine
/// takes 1 to 100,000 events and 1 byte to 512 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageLimit {
    /// Events; 1,000 by default.
    pub events: NonZeroU32,
    /// Bytes of payload and metadata; 4 MiB by default.
    pub bytes: usize,
}

impl PageLimit {
    /// The smallest page: one event.
    #[must_use]
    pub fn one_event() -> Self {
        Self { events: NonZeroU32::MIN, bytes: 1 }
    }

    /// Checks that it is one that readers may ask for.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it is not.
    pub fn check(&self) -> Result<(), StoreError> {
        let Self { events, bytes } = *self;
        if events.get() > PAGE_EVENTS_MAX || !(1..=PAGE_BYTES_MAX).contains(&bytes) {
            return Err(StoreError::invalid(format!(
                "a page has 1 to {PAGE_EVENTS_MAX} events and 1 to {PAGE_BYTES_MAX} bytes, this one {events} and {bytes}"
            )));
        }
        Ok(())
    }

    /// Sets [`events`](Self::events).
    #[must_use]
    pub fn with_events(self, events: NonZeroU32) -> Self {
        Self { events, ..self }
    }

    /// Sets [`bytes`](Self::bytes).
    #[must_use]
    pub fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}

impl Default for PageLimit {
    /// 1,000 events or 4 MiB.
    fn default() -> Self {
        Self { events: NonZeroU32::new(1000).expect("1,000 is not 0"), bytes: 4 << 20 }
    }
}

/// Asks for the events of one entity behind a sequence number.
#[derive(Clone, Debug)]
pub struct EntityRead {
    /// The entity.
    pub entity: EntityKey,
    /// The last sequence number the reader has.
    pub after: SequenceNr,
}

/// Some events of one entity, contiguous and in order: the oldest first, or the newest where they were read backward.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityPage {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// The sequence number of the entity's last event in the journal when the page was read, deleted ones included.
    pub head: SequenceNr,
    /// Events up to and including this one were deleted after a snapshot; zero if none was.
    pub floor: SequenceNr,
}

impl EntityPage {
    /// A page of these events.
    #[must_use]
    pub fn new(events: Vec<StoredEvent>, head: SequenceNr, floor: SequenceNr) -> Self {
        Self { events, head, floor }
    }

    /// Whether the journal has events of the entity behind those of this page, read after `after`.
    #[must_use]
    pub fn has_more(&self, after: SequenceNr) -> bool {
        // what was deleted is not waited for
        self.events.last().map_or(after.max(self.floor), |event| event.sequence_nr) < self.head
    }

    /// Whether the journal has events of the entity in front of those of this page, which was read backward from `before`.
    #[must_use]
    pub fn has_older(&self, before: SequenceNr) -> bool {
        let read_to = self.events.last().map_or(before, |event| event.sequence_nr);
        read_to.min(self.head.next()) > self.floor.next()
    }
}

/// Some events of a lane, in order of position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LanePage {
    /// The events that pass the filter.
    pub events: Vec<JournalEvent>,
    /// How far the page reaches: everything up to here was looked at, whether it passed the filter or not. The next
    /// page starts behind it. Equal to the `after` of the read when the lane has nothing behind it.
    pub read_to: Position,
}

impl LanePage {
    /// A page of these events, which reaches up to `read_to`.
    #[must_use]
    pub fn new(events: Vec<JournalEvent>, read_to: Position) -> Self {
        Self { events, read_to }
    }
}
