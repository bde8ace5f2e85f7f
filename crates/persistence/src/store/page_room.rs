use super::{PageLimit, StoredEvent};

/// What still fits into a page: for stores that fill one event by event.
#[derive(Debug)]
pub struct PageRoom {
    events: u32,
    bytes: usize,
    empty: bool,
    full: bool,
}

impl PageRoom {
    /// An empty page.
    #[must_use]
    pub fn new(limit: PageLimit) -> Self {
        Self { events: limit.events.get(), bytes: limit.bytes, empty: true, full: false }
    }

    /// Takes the room for `event`; false if there is none, and from then on. The first event fits whatever its size.
    pub fn take(&mut self, event: &StoredEvent) -> bool {
        self.take_bytes(event.bytes())
    }

    /// As [`take`](Self::take), for what has so many bytes.
    pub fn take_bytes(&mut self, bytes: usize) -> bool {
        if self.full || self.events == 0 || (!self.empty && bytes > self.bytes) {
            self.full = true;
            return false;
        }
        self.empty = false;
        self.events -= 1;
        // one that is larger than a page comes alone: not even an event without bytes goes with it
        self.full = bytes > self.bytes;
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }

    /// Whether nothing more is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full || self.events == 0
    }
}
