use super::{AfterCommit, Job, ModelTypes, Part, Retries, TakenSnapshot};
use crate::Moment;
use actum_model::{Entity, SequenceNr};
use std::collections::VecDeque;

/// What of an entity is under way: staged changes, and answers that wait.
pub(super) struct UnderWay<M: ModelTypes> {
    pub(super) staged: M::Staged,
    pub(super) staged_since: Moment,
    pub(super) staged_bytes: usize,
    pub(super) held: VecDeque<HeldAnswer<M::Entity>>,
    /// Commands that were handled before, and wait for their recorded replies.
    pub(super) retries: Retries<M::Entity>,
    pub(super) snapshot: Option<Box<TakenSnapshot>>,
}

/// An answer that waits until everything it depends on is durable.
pub(super) struct HeldAnswer<E: Entity> {
    /// `None` once its caller stopped waiting. Its action still runs, and what it wrote still counts as under way: its id
    /// must be remembered for as long.
    pub(super) job: Option<Box<dyn Job<E>>>,
    pub(super) needs: SequenceNr,
    pub(super) part: Part,
    pub(super) after_commit: Option<AfterCommit>,
}

/// Places for what is under way that no entity needs now.
///
/// An idle entity has none, which is most of what it saves; the next that begins something takes one from here, with the
/// room of its queue, so that this costs no allocation either.
pub struct SparePlaces<M: ModelTypes>(Vec<Box<UnderWay<M>>>);

/// How many are kept: more entities of one kind in one partition are rarely at work at the same time.
const SPARE_MAX: usize = 16;

/// A queue that has grown beyond this many answers gives its memory back.
const HELD_KEPT_MAX: usize = 16;

impl<M: ModelTypes> UnderWay<M> {
    /// Whether nothing is staged but what was sent, and no one waits.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.retries.is_empty() && self.snapshot.is_none()
    }

    /// Leaves nothing of the entity that had it but room.
    fn clear(&mut self) {
        let Self { staged, staged_since, staged_bytes, held, retries, snapshot } = self;
        (*staged, *staged_since, *staged_bytes) = Default::default();
        held.clear();
        if held.capacity() > HELD_KEPT_MAX {
            *held = VecDeque::new();
        }
        (*retries, *snapshot) = (Retries::none(), None);
    }
}

impl<M: ModelTypes> SparePlaces<M> {
    pub(super) fn take(&mut self) -> Box<UnderWay<M>> {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, mut place: Box<UnderWay<M>>) {
        if self.0.len() < SPARE_MAX {
            place.clear();
            self.0.push(place);
        }
    }
}

impl<M: ModelTypes> Default for UnderWay<M> {
    fn default() -> Self {
        Self {
            staged: M::Staged::default(),
            staged_since: Moment::default(),
            staged_bytes: 0,
            held: VecDeque::new(),
            retries: Retries::none(),
            snapshot: None,
        }
    }
}

impl<M: ModelTypes> Default for SparePlaces<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell::ByEvents, test_counter::TestCounter};

    fn waiting(count: u64) -> Box<UnderWay<ByEvents<TestCounter>>> {
        let mut place = Box::<UnderWay<ByEvents<TestCounter>>>::default();
        place.held.extend((1..=count).map(|nr| HeldAnswer {
            job: None,
            needs: SequenceNr::new(nr),
            part: Part::Saw,
            after_commit: None,
        }));
        place
    }

    #[test]
    fn a_place_comes_back_empty_and_what_is_kept_has_a_bound() {
        let mut spare = SparePlaces::default();
        spare.give_back(waiting(3));
        let again = spare.take();
        assert!(again.is_empty() && again.held.capacity() >= 3, "its room is used again");
        spare.give_back(waiting(1 + HELD_KEPT_MAX as u64));
        assert!(spare.take().held.capacity() <= HELD_KEPT_MAX, "a large queue is given back");
        (0..2 * SPARE_MAX).for_each(|_| spare.give_back(waiting(1)));
        assert_eq!(spare.0.len(), SPARE_MAX);
    }
}
