use actum_model::{EntityKey, Position, SequenceNr};
use std::collections::HashMap;

/// The key and the head of the entities of a lane that were appended to last, so that appending to them again needs no
/// look-up.
///
/// Another node may append to the same lane meanwhile: then a head may have become too low, never too high, and the
/// append that relies on it finds its number taken. Heads are doubted after that, and on a new connection, which may lead
/// to a server that has not got everything. Keys stay true for ever.
///
/// Bounded: entities are kept in two maps, and when the young one is full it becomes the old one, whose entities are
/// forgotten unless they were asked for.
#[derive(Debug)]
pub(crate) struct KnownHeads {
    /// Where this store left the lane; none if that is not known.
    lane_head: Option<Position>,
    /// Grows when all heads are doubted.
    epoch: u32,
    young: HashMap<EntityKey, Known>,
    old: HashMap<EntityKey, Known>,
    young_max: usize,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    entity: i64,
    head: SequenceNr,
    epoch: u32,
}

/// What is known of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityHead {
    /// The integer that stands for it.
    pub(crate) entity: i64,
    /// The sequence number of its last event; none if that is doubted.
    pub(crate) head: Option<SequenceNr>,
}

impl KnownHeads {
    /// Room for about `entities`.
    pub(crate) fn new(entities: usize) -> Self {
        Self {
            lane_head: None,
            epoch: 0,
            young: HashMap::new(),
            old: HashMap::new(),
            young_max: entities.div_ceil(2),
        }
    }

    /// Where the head of the lane should be; none if that is not known.
    pub(crate) fn lane_head(&self) -> Option<Position> {
        self.lane_head
    }

    /// Takes note of where this store left the lane.
    pub(crate) fn moved(&mut self, lane_head: Position) {
        self.lane_head = Some(lane_head);
    }

    /// Doubts all heads.
    pub(crate) fn doubt(&mut self) {
        self.lane_head = None;
        // an entity of 2^32 doubts ago could pass for fresh, had it not been looked at since
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// What is known of `key`.
    pub(crate) fn find(&mut self, key: &EntityKey) -> Option<EntityHead> {
        let known = match self.young.get(key) {
            Some(known) => *known,
            None => {
                let known = self.old.remove(key)?;
                self.keep(key, known);
                known
            }
        };
        let head = (known.epoch == self.epoch).then_some(known.head);
        Some(EntityHead { entity: known.entity, head })
    }

    /// Remembers where `key` is.
    pub(crate) fn remember(&mut self, key: &EntityKey, entity: i64, head: SequenceNr) {
        let known = Known { entity, head, epoch: self.epoch };
        self.keep(key, known);
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

    fn at(entity: i64, head: u64) -> Option<EntityHead> {
        Some(EntityHead { entity, head: Some(SequenceNr::new(head)) })
    }

    fn doubted(entity: i64) -> Option<EntityHead> {
        Some(EntityHead { entity, head: None })
    }

    #[test]
    fn a_doubt_leaves_keys_and_ends_when_a_head_is_learned_anew() {
        let mut known = KnownHeads::new(1000);
        known.remember(&key(1), 1, SequenceNr::new(1));
        known.moved(Position::new(8));
        assert_eq!((known.find(&key(1)), known.lane_head()), (at(1, 1), Some(Position::new(8))));
        known.doubt();
        assert_eq!((known.find(&key(1)), known.lane_head()), (doubted(1), None));
        known.moved(Position::new(11));
        assert_eq!(known.find(&key(1)), doubted(1), "a doubt is not forgotten by moving on");
        known.remember(&key(1), 1, SequenceNr::new(3));
        assert_eq!(known.find(&key(1)), at(1, 3));
    }

    #[test]
    fn what_is_asked_for_stays_and_the_number_is_bounded() {
        let mut known = KnownHeads::new(100);
        for nr in 0..10_000 {
            known.remember(&key(nr), nr as i64, SequenceNr::new(1));
            assert_eq!(known.find(&key(0)), at(0, 1), "asked for all the time");
            assert!(known.young.len() + known.old.len() <= 100);
        }
        assert_eq!(known.find(&key(5000)), None);
    }

    #[test]
    fn a_newer_head_wins_over_the_one_in_the_old_map() {
        let mut known = KnownHeads::new(4);
        known.remember(&key(1), 1, SequenceNr::new(1));
        known.remember(&key(2), 2, SequenceNr::new(1));
        known.remember(&key(3), 3, SequenceNr::new(1)); // 1 and 2 are old now
        known.remember(&key(1), 1, SequenceNr::new(2)); // young, while the old one is still there
        assert_eq!(known.find(&key(1)), at(1, 2));
    }
}
