use actum_model::{EntityKey, Lane, LaneCount, Position};
use actum_persistence::store::{EntityHead, KnownEntities};

/// The key and the head of the entities that were appended to last, so that appending to them again needs no look-up.
///
/// Another process may append to the same file meanwhile. It cannot do so without moving the head of the lane, which
/// every transaction reads anyway: when a lane's head is not where this store left it, everything that is known of the
/// lane's entities is doubted.
#[derive(Debug)]
pub(crate) struct KnownHeads {
    lanes: Vec<KnownLane>,
    entities: KnownEntities<Known>,
}

#[derive(Clone, Copy, Debug, Default)]
struct KnownLane {
    /// Where this store left it; none if that is not known.
    head: Option<Position>,
    /// Grows when something else has written to the lane.
    epoch: u32,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    head: EntityHead,
    epoch: u32,
}

impl KnownHeads {
    /// Room for about `entities`.
    pub(crate) fn new(lanes: LaneCount, entities: usize) -> Self {
        Self {
            lanes: vec![KnownLane::default(); usize::from(lanes.get())],
            entities: KnownEntities::new(entities),
        }
    }

    /// Takes note of where the table says the head of `lane` is.
    pub(crate) fn observe(&mut self, lane: Lane, head: Position) {
        let known = &mut self.lanes[lane.index()];
        if known.head != Some(head) {
            // 2^32 foreign writes later an entity that was kept all the while could pass for fresh: it cannot be kept,
            // since each of them makes every append of the lane look it up again
            *known = KnownLane { head: Some(head), epoch: known.epoch.wrapping_add(1) };
        }
    }

    /// Where this store left the head of `lane`, if that is known.
    pub(crate) fn head(&self, lane: Lane) -> Option<Position> {
        self.lanes[lane.index()].head
    }

    /// Takes note of where a commit of this store left the head of `lane`.
    pub(crate) fn advance(&mut self, lane: Lane, head: Position) {
        self.lanes[lane.index()].head = Some(head);
    }

    /// Doubts everything.
    pub(crate) fn doubt(&mut self) {
        for lane in &mut self.lanes {
            *lane = KnownLane { head: None, epoch: lane.epoch.wrapping_add(1) };
        }
    }

    /// What is known of `key`, an entity of `lane`.
    pub(crate) fn find(&mut self, key: &EntityKey, lane: Lane) -> Option<EntityHead> {
        let epoch = self.lanes[lane.index()].epoch;
        self.entities.find(key, |known| known.epoch == epoch).map(|known| known.head)
    }

    /// Remembers where `key`, an entity of `lane`, is.
    pub(crate) fn remember(&mut self, key: &EntityKey, lane: Lane, head: EntityHead) {
        let epoch = self.lanes[lane.index()].epoch;
        self.entities.remember(key, Known { head, epoch });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::SequenceNr;

    fn key(nr: usize) -> EntityKey {
        EntityKey::new("account", nr.to_string()).unwrap()
    }

    fn head(entity: i64, head: u64) -> EntityHead {
        EntityHead { entity, head: SequenceNr::new(head) }
    }

    const LANE: Lane = Lane::new(1);

    #[test]
    fn a_foreign_write_to_the_lane_makes_its_entities_unknown_and_no_others() {
        let mut known = KnownHeads::new(LaneCount::new(2).unwrap(), 1000);
        known.observe(LANE, Position::new(7));
        known.observe(Lane::new(0), Position::new(7));
        known.remember(&key(1), LANE, head(1, 1));
        known.remember(&key(2), Lane::new(0), head(2, 2));
        known.advance(LANE, Position::new(8));
        known.observe(LANE, Position::new(8));
        assert_eq!(known.find(&key(1), LANE), Some(head(1, 1)), "this store wrote it");
        known.observe(LANE, Position::new(9));
        assert_eq!(known.find(&key(1), LANE), None);
        assert_eq!(known.find(&key(2), Lane::new(0)), Some(head(2, 2)));
        known.remember(&key(1), LANE, head(1, 3));
        assert_eq!(known.find(&key(1), LANE), Some(head(1, 3)));
        known.doubt();
        known.observe(LANE, Position::new(9));
        assert_eq!(known.find(&key(1), LANE), None);
    }
}
