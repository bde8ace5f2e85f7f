use actum_model::{EntityKey, Lane, LaneCount, Position, SequenceNr};
use std::collections::HashMap;

/// The key and the head of the entities that were appended to last, so that appending to them again needs no look-up.
///
/// Another process may append to the same file meanwhile. It cannot do so without moving the head of the lane, which
/// every transaction reads anyway: when a lane's head is not where this store left it, everything that is known of the
/// lane's entities is doubted.
///
/// Bounded: entities are kept in two maps, and when the young one is full it becomes the old one, whose entities are
/// forgotten unless they were asked for.
#[derive(Debug)]
pub(crate) struct KnownHeads {
    lanes: Vec<KnownLane>,
    young: HashMap<EntityKey, Known>,
    old: HashMap<EntityKey, Known>,
    young_max: usize,
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

/// The integer key of an entity, and the sequence number of its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityHead {
    pub(crate) entity: i64,
    pub(crate) head: SequenceNr,
}

impl KnownHeads {
    /// Room for about `entities`.
    pub(crate) fn new(lanes: LaneCount, entities: usize) -> Self {
        Self {
            lanes: vec![KnownLane::default(); usize::from(lanes.get())],
            young: HashMap::new(),
            old: HashMap::new(),
            young_max: entities.div_ceil(2),
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
        if let Some(known) = self.young.get(key) {
            return (known.epoch == epoch).then_some(known.head);
        }
        let known = self.old.remove(key).filter(|known| known.epoch == epoch)?;
        self.keep(key, known);
        Some(known.head)
    }

    /// Remembers where `key`, an entity of `lane`, is.
    pub(crate) fn remember(&mut self, key: &EntityKey, lane: Lane, head: EntityHead) {
        let epoch = self.lanes[lane.index()].epoch;
        self.keep(key, Known { head, epoch });
    }

    fn keep(&mut self, key: &EntityKey, known: Known) {
        if let Some(place) = self.young.get_mut(key) {
            *place = known;
            return;
        }
        if self.young.len() >= self.young_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(nr: usize) -> EntityKey {
        EntityKey::new("account", nr.to_string()).unwrap()
    }

    fn head(entity: i64, head: u64) -> EntityHead {
        EntityHead { entity, head: SequenceNr::new(head) }
    }

    fn two_lanes(entities: usize) -> KnownHeads {
        KnownHeads::new(LaneCount::new(2).unwrap(), entities)
    }

    const LANE: Lane = Lane::new(1);

    #[test]
    fn a_foreign_write_to_the_lane_makes_its_entities_unknown_and_no_others() {
        let mut known = two_lanes(1000);
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

    #[test]
    fn what_is_asked_for_stays_and_the_number_is_bounded() {
        let mut known = two_lanes(100);
        known.observe(LANE, Position::new(1));
        for nr in 0..10_000 {
            known.remember(&key(nr), LANE, head(nr as i64, 1));
            assert_eq!(known.find(&key(0), LANE), Some(head(0, 1)), "asked for all the time");
            assert!(known.young.len() + known.old.len() <= 100);
        }
        assert_eq!(known.find(&key(5000), LANE), None);
    }

    #[test]
    fn as_many_as_there_is_room_for_are_known() {
        let mut known = two_lanes(100);
        known.observe(LANE, Position::new(1));
        for nr in 0..100 {
            known.remember(&key(nr), LANE, head(nr as i64, 1));
        }
        known.remember(&key(99), LANE, head(99, 2)); // in its place: it makes no other one old
        for nr in 50..99 {
            assert_eq!(known.find(&key(nr), LANE), Some(head(nr as i64, 1)), "young");
        }
        assert_eq!(known.find(&key(0), LANE), Some(head(0, 1)), "old, and young again");
        assert_eq!(known.find(&key(99), LANE), Some(head(99, 2)), "old now");
    }

    #[test]
    fn a_newer_head_wins_over_the_one_in_the_old_map() {
        let mut known = two_lanes(4);
        known.observe(LANE, Position::new(1));
        known.remember(&key(1), LANE, head(1, 1));
        known.remember(&key(2), LANE, head(2, 1));
        known.remember(&key(3), LANE, head(3, 1)); // 1 and 2 are old now
        known.remember(&key(1), LANE, head(1, 2)); // young, while the old one is still there
        assert_eq!(known.find(&key(1), LANE), Some(head(1, 2)));
    }
}
