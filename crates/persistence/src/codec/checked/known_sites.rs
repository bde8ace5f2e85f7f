use std::{
    any::TypeId,
    cell::{Cell, RefCell},
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    rc::Rc,
};

/// What of a type this thread has read back from a format without a loss.
///
/// A table of numbers with open addressing, zero where it is empty, at most half full.
#[derive(Clone)]
pub(super) struct KnownSites(Rc<[Cell<u64>]>);

/// Slots of the largest table. What does not find room is tried each time it is written.
const SLOTS_MAX: usize = 1 << 14;
const SLOTS_MIN: usize = 1 << 5;

thread_local! {
    static TYPES: RefCell<HashMap<TypeId, KnownSites, BuildHasherDefault<IdHasher>>> = RefCell::default();
}

impl KnownSites {
    /// What is known of `T`.
    #[inline]
    pub(super) fn of<T: 'static>() -> Self {
        TYPES.with_borrow_mut(|types| {
            types.entry(TypeId::of::<T>()).or_insert_with(|| Self::with_slots(SLOTS_MIN)).clone()
        })
    }

    #[inline]
    pub(super) fn contains(&self, site: u64) -> bool {
        let site = site.max(1);
        let mask = self.0.len() - 1;
        let mut at = (site >> 40) as usize & mask;
        loop {
            match self.0[at].get() {
                0 => return false,
                known if known == site => return true,
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Adds to what is known of `T`.
    #[cold]
    pub(super) fn learn<T: 'static>(sites: &[u64]) {
        TYPES.with_borrow_mut(|types| {
            let Some(known) = types.get_mut(&TypeId::of::<T>()) else { return };
            let mut used = known.0.iter().filter(|slot| slot.get() != 0).count();
            for site in sites {
                if used * 2 >= known.0.len() && known.0.len() < SLOTS_MAX {
                    *known = known.grown();
                }
                if used * 2 < known.0.len() && known.insert(*site) {
                    used += 1;
                }
            }
        });
    }

    fn with_slots(slots: usize) -> Self {
        Self(std::iter::repeat_with(|| Cell::new(0)).take(slots).collect())
    }

    fn grown(&self) -> Self {
        let grown = Self::with_slots((self.0.len() * 2).min(SLOTS_MAX));
        self.0.iter().map(Cell::get).filter(|site| *site != 0).for_each(|site| {
            grown.insert(site);
        });
        grown
    }

    /// Whether it was not there yet.
    fn insert(&self, site: u64) -> bool {
        let site = site.max(1);
        let mask = self.0.len() - 1;
        let mut at = (site >> 40) as usize & mask;
        while ![0, site].contains(&self.0[at].get()) {
            at = (at + 1) & mask;
        }
        self.0[at].replace(site) == 0
    }
}

/// Takes a `TypeId` as it is: it is a hash.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::place::mix, KnownSites, SLOTS_MAX, SLOTS_MIN};

    #[test]
    fn what_was_learnt_is_known_and_nothing_else_is() {
        struct Here;
        struct Elsewhere;
        let sites: Vec<u64> =
            (1..1_000).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let before = KnownSites::of::<Here>();
        KnownSites::learn::<Here>(&sites);
        let (here, elsewhere) = (KnownSites::of::<Here>(), KnownSites::of::<Elsewhere>());
        for site in &sites {
            assert!(here.contains(*site) && !here.contains(site ^ 1) && !elsewhere.contains(*site));
        }
        assert!(!before.contains(sites[999 - 1]), "a table in use is not grown under its reader");
    }

    #[test]
    fn a_site_that_comes_often_takes_one_slot() {
        struct Repeated;
        KnownSites::of::<Repeated>();
        KnownSites::learn::<Repeated>(&[7; 100_000]);
        assert_eq!(KnownSites::of::<Repeated>().0.len(), SLOTS_MIN);
    }

    #[test]
    fn the_memory_for_a_type_has_an_end() {
        struct Endless;
        KnownSites::of::<Endless>();
        for n in 0..64 {
            let sites: Vec<u64> = (0..1_000).map(|i| mix(n, i)).collect();
            KnownSites::learn::<Endless>(&sites);
        }
        assert_eq!(KnownSites::of::<Endless>().0.len(), SLOTS_MAX);
        assert!(!KnownSites::of::<Endless>().contains(7));
    }
}
