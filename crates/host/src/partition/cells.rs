use crate::{
    Moment,
    cell::{Cell, Model, Ticket},
};
use actum_model::EntityKey;
use hashbrown::HashTable;

/// The cells of one kind in one partition: found by key, and in the order they were used.
///
/// A slab with an index and a list through it, so that finding, using and removing a cell take constant time and no
/// allocation.
pub(super) struct Cells<M: Model> {
    slots: Vec<Slot<M>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// The most recently used.
    newest: u32,
    /// The least recently used.
    oldest: u32,
}

pub(super) struct Slot<M: Model> {
    pub cell: Option<Cell<M>>,
    newer: u32,
    older: u32,
    pub used: Moment,
    /// Whether the slot is in the list of cells to flush at the end of the turn.
    pub touched: bool,
    /// Whether the slot is in the list of cells that callers may wait for.
    pub awaited: bool,
}

const NONE: u32 = u32::MAX;

/// For how many cells room is made at least.
const PLACES_MIN: usize = 4;

impl<M: Model> Cells<M> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, key: &EntityKey) -> Option<u32> {
        let is_key =
            |at: &u32| self.slots[*at as usize].cell.as_ref().is_some_and(|cell| cell.key() == key);
        self.index.find(key.hash64(), is_key).copied()
    }

    /// Takes a place for a cell that is about to be made.
    pub(super) fn reserve(&mut self, kind: u16, generation: u32) -> Ticket {
        let slot = self.free.pop().unwrap_or_else(|| {
            let slot = u32::try_from(self.slots.len())
                .expect("a partition holds fewer than 2^32 entities");
            self.make_room();
            self.slots.push(Slot::empty());
            slot
        });
        Ticket { kind, slot, generation }
    }

    /// Gives a reserved place back.
    pub(super) fn give_back(&mut self, ticket: Ticket) {
        self.free.push(ticket.slot);
    }

    pub(super) fn insert(&mut self, ticket: Ticket, cell: Cell<M>, now: Moment) {
        let hash = cell.key().hash64();
        self.slots[ticket.slot as usize].cell = Some(cell);
        let slots = &self.slots;
        self.index.insert_unique(hash, ticket.slot, |at| hash_of(slots, *at));
        self.link(ticket.slot, now);
    }

    /// Takes a cell out; the caller drops it, guarding the user's code in it.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Cell<M>> {
        let cell = self.slots[slot as usize].cell.take()?;
        if let Ok(entry) = self.index.find_entry(cell.key().hash64(), |at| *at == slot) {
            entry.remove();
        }
        self.unlink(slot);
        let place = &mut self.slots[slot as usize];
        (place.used, place.newer, place.older) = (Moment::default(), NONE, NONE);
        self.free.push(slot);
        Some(cell)
    }

    pub(super) fn slot(&mut self, slot: u32) -> &mut Slot<M> {
        &mut self.slots[slot as usize]
    }

    /// The cell a result is for; `None` when it has left meanwhile.
    pub(super) fn holder(&mut self, ticket: Ticket) -> Option<&mut Cell<M>> {
        let cell = self.slots.get_mut(ticket.slot as usize)?.cell.as_mut();
        cell.filter(|cell| cell.ticket() == ticket)
    }

    /// Marks a cell as just used.
    pub(super) fn used(&mut self, slot: u32, now: Moment) {
        if self.newest == slot {
            self.slots[slot as usize].used = now;
            return;
        }
        self.unlink(slot);
        self.link(slot, now);
    }

    /// The least recently used cell, and when that was.
    pub(super) fn oldest(&self) -> Option<(u32, Moment)> {
        (self.oldest != NONE).then(|| (self.oldest, self.slots[self.oldest as usize].used))
    }

    /// The cell used next after `slot`.
    pub(super) fn newer(&self, slot: u32) -> Option<(u32, Moment)> {
        let newer = self.slots[slot as usize].newer;
        (newer != NONE).then(|| (newer, self.slots[newer as usize].used))
    }

    /// All places that hold a cell.
    pub(super) fn occupied(&self) -> Vec<u32> {
        self.index.iter().copied().collect()
    }

    /// Grows by a quarter, not to the double: a place is large, and there are many that hold a cell for long.
    fn make_room(&mut self) {
        let len = self.slots.len();
        if len == self.slots.capacity() {
            self.slots.reserve_exact((len / 4).max(PLACES_MIN));
        }
    }

    fn link(&mut self, slot: u32, now: Moment) {
        let older = std::mem::replace(&mut self.newest, slot);
        let place = &mut self.slots[slot as usize];
        (place.used, place.newer, place.older) = (now, NONE, older);
        match older {
            NONE => self.oldest = slot,
            older => self.slots[older as usize].newer = slot,
        }
    }

    fn unlink(&mut self, slot: u32) {
        let (newer, older) = (self.slots[slot as usize].newer, self.slots[slot as usize].older);
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }
}

impl<M: Model> Slot<M> {
    fn empty() -> Self {
        let used = Moment::default();
        Self { cell: None, newer: NONE, older: NONE, used, touched: false, awaited: false }
    }
}

fn hash_of<M: Model>(slots: &[Slot<M>], slot: u32) -> u64 {
    slots[slot as usize].cell.as_ref().expect("the index holds occupied places").key().hash64()
}

#[cfg(test)]
mod tests {
    use super::Slot;
    use crate::{cell::ByEvents, test_counter::TestCounter};

    /// What all entities in memory take: who makes it larger should know.
    #[test]
    fn a_place_takes_144_bytes_beside_id_and_state() {
        let beside =
            size_of::<Slot<ByEvents<TestCounter>>>() - size_of::<u64>() - size_of::<TestCounter>();
        assert_eq!(beside, 144);
    }
}
