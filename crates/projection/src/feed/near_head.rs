use super::announced::Announced;
use actum_model::Position;
use actum_persistence::{
    Weight,
    commits::LaneTail,
    store::{EventFilter, LaneAnswer, LanePage, PageLimit},
};

/// What was read last near the head of a lane, for all who follow it.
#[derive(Debug)]
pub(super) struct NearHead {
    kept: Kept,
    /// How often the journal may have become another one when it was read.
    doubts: u64,
}

#[derive(Debug)]
enum Kept {
    /// Events, one at each position.
    Tail(LaneTail),
    /// Changes, which have gaps: the last page, and behind which position it was read. A state that has moved since is there
    /// where it was, and comes again.
    Page(Option<(Position, LanePage)>),
}

impl NearHead {
    /// Keeps what is followed, within these bounds.
    pub(super) fn new(followed: &Announced, bounds: Weight) -> Self {
        let kept = match followed {
            Announced::Events(_) => Kept::Tail(LaneTail::new(bounds)),
            Announced::States(_) => Kept::Page(None), // within those of a page
        };
        Self { kept, doubts: 0 }
    }

    /// The page that the store would return, if it is here.
    pub(super) fn page(
        &self,
        after: Position,
        filter: &EventFilter,
        limit: PageLimit,
    ) -> Option<LanePage> {
        match &self.kept {
            Kept::Tail(tail) => tail.page(after, filter, limit),
            Kept::Page(kept) => {
                let (from, page) = kept.as_ref()?;
                let is_here = *from <= after && after < page.read_to;
                is_here.then(|| part(page, after, filter, limit))
            }
        }
    }

    /// Forgets what was read of a journal that may be another one since.
    pub(super) fn check(&mut self, doubts: u64) {
        if doubts != self.doubts {
            self.doubts = doubts;
            match &mut self.kept {
                Kept::Tail(tail) => tail.clear(),
                Kept::Page(page) => *page = None,
            }
        }
    }

    /// Keeps a page that was read without a filter behind `after`.
    pub(super) fn keep(&mut self, after: Position, page: LanePage) {
        match &mut self.kept {
            Kept::Tail(tail) => tail.push(page.events),
            Kept::Page(kept) => *kept = Some((after, page)),
        }
    }
}

/// What lies behind `after` on a page that was read in front of it.
fn part(page: &LanePage, after: Position, filter: &EventFilter, limit: PageLimit) -> LanePage {
    let mut answer = LaneAnswer::new(after, limit);
    answer.reach(page.read_to);
    let wanted = page.events.iter().filter(|it| it.event.position > after && filter.passes(it));
    for event in wanted {
        if !answer.add(event.clone()) {
            break;
        }
    }
    answer.finish()
}
