use actum_model::Position;
use actum_persistence::{
    commits::LaneTail,
    store::{EventFilter, LanePage, PageLimit},
};

/// The events near the head of a lane as they were read last, for all who follow it.
#[derive(Debug)]
pub(super) struct NearHead {
    tail: LaneTail,
    /// How often the journal may have become another one when it was read.
    doubts: u64,
}

impl NearHead {
    pub(super) fn new(bounds: actum_persistence::Weight) -> Self {
        Self { tail: LaneTail::new(bounds), doubts: 0 }
    }

    /// The page that the store would return, if it is here.
    pub(super) fn page(
        &self,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Option<LanePage> {
        self.tail.page(after, filter, limit)
    }

    /// Forgets what was read of a journal that may be another one since.
    pub(super) fn check(&mut self, doubts: u64) {
        if doubts != self.doubts {
            self.doubts = doubts;
            self.tail.clear();
        }
    }

    /// Keeps a page that was read without a filter.
    pub(super) fn keep(&mut self, page: LanePage) {
        self.tail.push(page.events);
    }
}
