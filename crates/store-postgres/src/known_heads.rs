use actum_model::{EntityKey, Position};
use actum_persistence::store::{EntityAppend, EntityHead, Incarnation, KnownEntities, integer};

/// The key and the head of the entities of a lane that were appended to last, so that appending to them again needs no
/// look-up.
///
/// Another node may append to the same lane meanwhile: then a head may have become too low, never too high, and the
/// append that relies on it finds its number taken. All of it is true only in the history it was learned from; so each
/// append shows the last event of the lane that is known, and where that is not there any more everything is forgotten.
#[derive(Debug)]
pub(crate) struct KnownHeads {
    lane: Option<LaneHead>,
    /// Whether others have written to the lane before the last append that had to look.
    disturbed: bool,
    entities: KnownEntities<EntityHead>,
}

/// The last event of a lane that is known, by its position, incarnation and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneHead {
    pub(crate) position: Position,
    pub(crate) incarnation: i64,
    pub(crate) event_nr: i64,
}

impl LaneHead {
    /// The last event of an append, which is at `position`.
    pub(crate) fn of(append: &EntityAppend, incarnation: Incarnation, position: Position) -> Self {
        let id = append.event_id(incarnation, append.events.len() - 1);
        Self {
            position,
            incarnation: integer::bound(id.incarnation.get()),
            event_nr: id.nr.cast_signed(),
        }
    }
}

impl KnownHeads {
    /// Room for about `entities`.
    pub(crate) fn new(entities: usize) -> Self {
        Self { lane: None, disturbed: false, entities: KnownEntities::new(entities) }
    }

    /// The last event of the lane, if one is known. Without it nothing is known of entities.
    pub(crate) fn lane(&self) -> Option<LaneHead> {
        self.lane
    }

    /// The last event of the lane, if one is known and it is likely that no one else has written behind it.
    pub(crate) fn undisturbed_lane(&self) -> Option<LaneHead> {
        self.lane.filter(|_| !self.disturbed)
    }

    /// Takes note whether others write to the lane too.
    pub(crate) fn set_disturbed(&mut self, disturbed: bool) {
        self.disturbed = disturbed;
    }

    /// Takes note of the last event of the lane; everything is forgotten if that is not known.
    pub(crate) fn moved(&mut self, lane: Option<LaneHead>) {
        if lane.is_none() {
            self.forget();
        }
        self.lane = lane;
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        self.lane = None;
        self.entities.forget();
    }

    /// Hands over all that is known, and forgets it here.
    pub(crate) fn take(&mut self) -> Self {
        let (lane, disturbed) = (self.lane.take(), self.disturbed);
        Self { lane, disturbed, entities: self.entities.take() }
    }

    /// What is known of `key`.
    pub(crate) fn find(&mut self, key: &EntityKey) -> Option<EntityHead> {
        self.entities.find(key, |_| true)
    }

    /// Remembers where `key` is.
    pub(crate) fn remember(&mut self, key: &EntityKey, known: EntityHead) {
        self.entities.remember(key, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::SequenceNr;

    fn key(nr: usize) -> EntityKey {
        EntityKey::new("account", nr.to_string()).unwrap()
    }

    fn at(entity: i64, head: u64) -> EntityHead {
        EntityHead { entity, head: SequenceNr::new(head) }
    }

    #[test]
    fn without_the_end_of_the_lane_nothing_is_known() {
        let lane = LaneHead { position: Position::new(8), incarnation: 1, event_nr: 9 };
        for forget in [KnownHeads::forget, |known: &mut KnownHeads| known.moved(None)] {
            let mut known = KnownHeads::new(2);
            known.moved(Some(lane));
            known.remember(&key(1), at(1, 1));
            known.remember(&key(2), at(2, 1)); // 1 is old now
            assert_eq!((known.find(&key(2)), known.lane()), (Some(at(2, 1)), Some(lane)));
            forget(&mut known);
            assert_eq!(
                (known.find(&key(1)), known.find(&key(2)), known.lane()),
                (None, None, None)
            );
        }
    }
}
