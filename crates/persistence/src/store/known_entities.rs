use actum_model::{EntityKey, SequenceNr};
use std::{collections::HashMap, mem};

/// What a store knows of the entities that it has written to last, so that writing to them again needs no look-up.
///
/// What makes it untrue, and how that is noticed, is the store's own matter.
///
/// Bounded: entities are kept in two maps, and when the young one is full it becomes the old one, whose entities are
/// forgotten unless they were asked for.
#[derive(Debug)]
pub struct KnownEntities<V> {
    young: HashMap<EntityKey, V>,
    old: HashMap<EntityKey, V>,
    young_max: usize,
}

/// Where an entity is: the integer that stands for it in the tables of a store, and the sequence number of its last
/// event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityHead {
    /// The integer that stands for the entity.
    pub entity: i64,
    /// The sequence number of its last event, deleted ones included.
    pub head: SequenceNr,
}

impl<V: Copy> KnownEntities<V> {
    /// Room for about `entities`.
    #[must_use]
    pub fn new(entities: usize) -> Self {
        let young_max = entities.div_ceil(2);
        Self { young: HashMap::new(), old: HashMap::new(), young_max }
    }

    /// What is known of `key`, if it still `holds`.
    pub fn find(&mut self, key: &EntityKey, holds: impl Fn(&V) -> bool) -> Option<V> {
        if let Some(known) = self.young.get(key) {
            return holds(known).then_some(*known);
        }
        let known = self.old.remove(key).filter(holds)?;
        self.remember(key, known);
        Some(known)
    }

    /// Remembers what is known of `key`.
    pub fn remember(&mut self, key: &EntityKey, known: V) {
        if let Some(place) = self.young.get_mut(key) {
            *place = known;
            return;
        }
        if self.young.len() >= self.young_max {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), known);
    }

    /// Forgets all entities.
    pub fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// Hands over all that is known, and forgets it here.
    #[must_use]
    pub fn take(&mut self) -> Self {
        Self {
            young: mem::take(&mut self.young),
            old: mem::take(&mut self.old),
            young_max: self.young_max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(nr: usize) -> EntityKey {
        EntityKey::new("account", nr.to_string()).unwrap()
    }

    fn find(known: &mut KnownEntities<usize>, nr: usize) -> Option<usize> {
        known.find(&key(nr), |_| true)
    }

    #[test]
    fn what_is_asked_for_stays_and_the_number_is_bounded() {
        let mut known = KnownEntities::new(100);
        for nr in 0..10_000 {
            known.remember(&key(nr), nr);
            assert_eq!(find(&mut known, 0), Some(0), "asked for all the time");
            assert!(known.young.len() + known.old.len() <= 100);
        }
        assert_eq!(find(&mut known, 5000), None);
    }

    #[test]
    fn as_many_as_there_is_room_for_are_known() {
        let mut known = KnownEntities::new(100);
        for nr in 0..100 {
            known.remember(&key(nr), nr);
        }
        known.remember(&key(99), 100); // in its place: it makes no other one old
        for nr in 50..99 {
            assert_eq!(find(&mut known, nr), Some(nr), "young");
        }
        assert_eq!(find(&mut known, 0), Some(0), "old, and young again");
        assert_eq!(find(&mut known, 99), Some(100), "old now");
    }

    #[test]
    fn what_is_newer_wins_over_the_old_map() {
        let mut known = KnownEntities::new(4);
        for nr in [1, 2, 3] {
            known.remember(&key(nr), nr); // with the third the others are old
        }
        known.remember(&key(1), 10); // young, while the old one is still there
        assert_eq!(find(&mut known, 1), Some(10));
    }

    #[test]
    fn what_does_not_hold_any_more_is_not_found_young_or_old() {
        let mut known = KnownEntities::new(4);
        for nr in [1, 2, 3] {
            known.remember(&key(nr), nr);
        }
        for nr in [1, 3] {
            assert_eq!(known.find(&key(nr), |_| false), None, "{nr}");
        }
        assert_eq!(find(&mut known, 2), Some(2));
    }

    #[test]
    fn what_is_taken_or_forgotten_is_gone_here_whether_young_or_old() {
        let mut known = KnownEntities::new(2);
        known.remember(&key(1), 1);
        known.remember(&key(2), 2); // 1 is old now
        let mut taken = known.take();
        assert_eq!((find(&mut known, 1), find(&mut known, 2)), (None, None));
        assert_eq!(find(&mut taken, 2), Some(2));
        taken.forget();
        assert_eq!((find(&mut taken, 1), find(&mut taken, 2)), (None, None));
        for nr in 0..9 {
            known.remember(&key(nr), nr);
            assert!(known.young.len() + known.old.len() <= 2, "the bound stays");
        }
    }
}
