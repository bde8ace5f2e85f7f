use actum_persistence::store::{PageLimit, StoredEvent};

/// What still fits into a page.
pub(crate) struct PageRoom {
    events: u32,
    bytes: usize,
    empty: bool,
}

impl PageRoom {
    /// An empty page.
    pub(crate) fn new(limit: PageLimit) -> Self {
        Self { events: limit.events.get(), bytes: limit.bytes, empty: true }
    }

    /// Takes the room for `event`; false if there is none. The first event fits whatever its size.
    pub(crate) fn take(&mut self, event: &StoredEvent) -> bool {
        let bytes = event.payload.bytes.len() + event.metadata.len();
        if !self.empty && (self.events == 0 || bytes > self.bytes) {
            return false;
        }
        self.empty = false;
        // behind an event that is larger than the page not even one without bytes has room
        self.events = if bytes > self.bytes { 0 } else { self.events - 1 };
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}
