use actum_model::EntityKey;
use actum_persistence::store::EntitySearch;
use hashbrown::{
    HashTable,
    hash_table::{Entry, OccupiedEntry, VacantEntry},
};
use std::collections::BTreeSet;

/// Values by entity, found by the hash the key carries.
///
/// Divided into buckets that grow one by one: a single table of 10^7 entities would stand still for seconds to grow.
pub(crate) struct EntityTable<V> {
    buckets: Box<[HashTable<(EntityKey, V)>]>,
}

impl<V> EntityTable<V> {
    /// A table of about `buckets` buckets.
    pub(crate) fn new(buckets: usize) -> Self {
        let buckets = buckets.max(1).next_power_of_two();
        Self { buckets: (0..buckets).map(|_| HashTable::new()).collect() }
    }

    /// The value of `key`.
    pub(crate) fn find(&self, key: &EntityKey) -> Option<&V> {
        let found = self.buckets[self.bucket(key)].find(key.hash64(), |(other, _)| other == key);
        found.map(|(_, value)| value)
    }

    /// The value of `key`, to change.
    pub(crate) fn find_mut(&mut self, key: &EntityKey) -> Option<&mut V> {
        let bucket = self.bucket(key);
        let found = self.buckets[bucket].find_mut(key.hash64(), |(other, _)| other == key);
        found.map(|(_, value)| value)
    }

    /// The place of `key`.
    pub(crate) fn place(&mut self, key: &EntityKey) -> Place<'_, V> {
        let bucket = self.bucket(key);
        let (hash, same) = (key.hash64(), |(other, _): &(EntityKey, V)| other == key);
        match self.buckets[bucket].entry(hash, same, |(other, _)| other.hash64()) {
            Entry::Occupied(entry) => Place::Known(entry),
            Entry::Vacant(entry) => Place::Free(entry),
        }
    }

    /// The value of `key`, a default one if there was none.
    pub(crate) fn find_or_default(&mut self, key: &EntityKey) -> &mut V
    where
        V: Default,
    {
        self.place(key).or_default(key)
    }

    /// Whether an entity of `kind` has a value that is `wanted`.
    pub(crate) fn has_of_kind(&self, kind: &str, wanted: impl Fn(&V) -> bool) -> bool {
        let mut all = self.buckets.iter().flatten();
        all.any(|(key, value)| key.kind() == kind && wanted(value))
    }

    /// The kinds of the entities in a bucket; none if there is no such bucket. Bucket by bucket, as
    /// [`search`](Self::search).
    pub(crate) fn kinds(&self, bucket: usize) -> Option<BTreeSet<String>> {
        let mut kinds = BTreeSet::new();
        for (key, _) in self.buckets.get(bucket)? {
            if !kinds.contains(key.kind()) {
                kinds.insert(key.kind().to_owned());
            }
        }
        Some(kinds)
    }

    /// The entries of a bucket that are wanted, in no order; none if there is no such bucket. Bucket by bucket, so that
    /// writers get their turn in between.
    pub(crate) fn search(
        &self,
        bucket: usize,
        search: &EntitySearch,
    ) -> Option<impl Iterator<Item = &(EntityKey, V)>> {
        let entries = self.buckets.get(bucket)?.iter();
        Some(entries.filter(|(key, _)| key.kind() == search.kind && search.wants(key.id())))
    }

    fn bucket(&self, key: &EntityKey) -> usize {
        // not the bits that choose the partition and, in hashbrown, the tag (the highest) or the slot (the lowest)
        (key.hash64() >> 40) as usize & (self.buckets.len() - 1)
    }
}

/// Where a value is, or would be.
pub(crate) enum Place<'a, V> {
    Known(OccupiedEntry<'a, (EntityKey, V)>),
    Free(VacantEntry<'a, (EntityKey, V)>),
}

impl<'a, V> Place<'a, V> {
    /// The value that is there.
    pub(crate) fn value(&self) -> Option<&V> {
        match self {
            Self::Known(entry) => Some(&entry.get().1),
            Self::Free(_) => None,
        }
    }

    /// The value that is there, or else a default one.
    pub(crate) fn or_default(self, key: &EntityKey) -> &'a mut V
    where
        V: Default,
    {
        let entry = match self {
            Self::Known(entry) => entry,
            Self::Free(entry) => entry.insert((key.clone(), V::default())),
        };
        &mut entry.into_mut().1
    }
}
