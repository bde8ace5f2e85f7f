use actum_model::EntityKey;
use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// Which entities a batch has a write of, known by their stable hashes.
///
/// Two entities of one hash count as one: then a write waits for the next batch without need, which does no harm.
#[derive(Default)]
pub(super) struct EntitySet(HashSet<u64, BuildHasherDefault<AlreadyHashed>>);

impl EntitySet {
    /// Adds `entity`; `false` if it was there.
    pub(super) fn insert(&mut self, entity: &EntityKey) -> bool {
        self.0.insert(entity.hash64())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Takes a number that is a hash already as its hash.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
