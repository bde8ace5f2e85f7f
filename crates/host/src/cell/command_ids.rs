use super::SureClock;
use crate::{ForgottenFor, IdBudget, settings::CommandWindow};
use actum_model::SequenceNr;
use actum_persistence::serializer::{CommandMark, RecentCommands, Uptime};
use hashbrown::HashTable;
use std::{collections::VecDeque, mem::size_of, sync::Arc};

/// The ids of commands that an entity remembers, oldest first: of each a hash, and which change it led to. The text of
/// the id and the reply are in the journal, where a retry finds them after any restart.
///
/// An entity that was never sent an id spends one word on it.
#[derive(Default)]
pub struct CommandIds(Option<Box<Window>>);

/// A command id: 24 bytes, and some 9 in the index.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub hash: u64,
    pub sequence_nr: SequenceNr,
    /// When it was remembered, by the clock of its entity.
    pub at: i32,
}

/// ```text
///   numbers:   first         first+1       …             (they wrap)
///   marks:     oldest        …             newest
///   index:     hash of a mark → its number
/// ```
struct Window {
    marks: VecDeque<Mark>,
    /// None while there are few.
    index: Option<Box<HashTable<u32>>>,
    first: u32,
    clock: SureClock,
    /// How many were forgotten since [`CommandIds::take_forgotten`] last reported it.
    forgotten: usize,
    counted: usize,
    budget: Arc<IdBudget>,
}

/// What decides how long ids are remembered.
pub struct Memory<'a> {
    pub window: &'a CommandWindow,
    pub budget: &'a Arc<IdBudget>,
    /// Ids of changes behind this one are never forgotten.
    pub durable: SequenceNr,
    /// Whether the ids are read back from the journal: those beyond the window were forgotten, and counted, before.
    pub reads_back: bool,
}

/// Up to this many ids are searched one by one; more are indexed.
const UNINDEXED_MAX: usize = 32;

/// How many ids are forgotten before their age for each that comes, while the budget is tight.
const EARLY_MAX: usize = 2;

/// How many marks a snapshot carries: about 12 KB.
pub const SNAPSHOT_MARKS_MAX: usize = 1_000;

/// How many ids are forgotten before it is worth deleting what was kept for them.
const FORGOTTEN_MIN: usize = 64;

impl CommandIds {
    /// The newest change of a command whose id has this hash, among those that were not tried.
    pub fn find(&self, hash: u64, tried: &[SequenceNr]) -> Option<SequenceNr> {
        self.0.as_ref()?.find(hash, tried)
    }

    /// Adds the id of the command whose last change has this number, at this moment.
    pub fn remember(
        &mut self,
        hash: u64,
        sequence_nr: SequenceNr,
        moment: Option<Uptime>,
        memory: &Memory<'_>,
    ) {
        let window = self.window(memory.budget);
        if let Some(moment) = moment {
            window.clock.move_to(moment);
        }
        window.forget(1, memory);
        window.push(Mark { hash, sequence_nr, at: window.clock.now() });
        window.count();
    }

    /// Puts ids before all others: their ages count back from that of the oldest.
    pub fn put_before(&mut self, older: Vec<Mark>, memory: &Memory<'_>) {
        let window = self.window(memory.budget);
        let newest = older.last().map_or(0, |mark| mark.at);
        let oldest = window.marks.front().map_or(window.clock.now(), |mark| mark.at);
        for mark in older.into_iter().rev() {
            let at = oldest.saturating_sub(newest.saturating_sub(mark.at));
            window.marks.push_front(Mark { at, ..mark });
        }
        window.index_all();
        window.forget(0, memory);
        window.count();
    }

    /// The oldest change that is needed for a retry; none, if no id is remembered.
    pub fn oldest(&self) -> Option<SequenceNr> {
        Some(self.0.as_ref()?.marks.front()?.sequence_nr)
    }

    /// There may be ids before the oldest that were not read: the next write deletes what is kept for them, which would
    /// grow otherwise with every recovery.
    pub fn leave_unread(&mut self) {
        if let Some(window) = &mut self.0 {
            window.forgotten += FORGOTTEN_MIN.max(window.marks.len());
        }
    }

    /// Up to which change nothing is needed any more, if enough were forgotten since this was said last.
    pub fn take_forgotten(&mut self) -> Option<SequenceNr> {
        let window = self.0.as_mut()?;
        if window.forgotten < FORGOTTEN_MIN.max(window.marks.len() / 16) {
            return None;
        }
        window.forgotten = 0;
        window.marks.front().map(|mark| SequenceNr::new(mark.sequence_nr.get() - 1))
    }

    /// What a snapshot carries: the newest `marks_max`, and how far the others reach back.
    pub fn to_store(&self, marks_max: usize) -> RecentCommands {
        let Some(window) = &self.0 else { return RecentCommands::default() };
        let oldest = window.marks.front().map_or(0, |mark| mark.sequence_nr.get());
        let now = window.clock.now();
        let newest = window.marks.iter().skip(window.marks.len().saturating_sub(marks_max));
        RecentCommands {
            forgotten_to: SequenceNr::new(oldest.saturating_sub(1)),
            marks: newest.map(|mark| stored(mark, now)).collect(),
            made_at: window.clock.last(),
            commands: Vec::new(),
        }
    }

    /// Takes over what a snapshot carried, in place of everything.
    pub fn restore(&mut self, stored: &RecentCommands, budget: &Arc<IdBudget>) {
        self.0 = None;
        if stored.marks.is_empty() {
            return;
        }
        let window = self.window(budget);
        window.clock = SureClock::from_zero(stored.made_at);
        for mark in &stored.marks {
            let age = i32::try_from(mark.age_seconds).unwrap_or(i32::MAX);
            window.push(Mark { hash: mark.id_hash, sequence_nr: mark.sequence_nr, at: -age });
        }
        window.count();
    }

    fn window(&mut self, budget: &Arc<IdBudget>) -> &mut Window {
        self.0.get_or_insert_with(|| Box::new(Window::new(budget)))
    }
}

fn stored(mark: &Mark, now: i32) -> CommandMark {
    let age = i64::from(now) - i64::from(mark.at);
    CommandMark {
        id_hash: mark.hash,
        sequence_nr: mark.sequence_nr,
        age_seconds: u32::try_from(age).unwrap_or(0),
    }
}

impl Window {
    fn new(budget: &Arc<IdBudget>) -> Self {
        let mut window = Self {
            marks: VecDeque::new(),
            index: None,
            first: 0,
            clock: SureClock::default(),
            forgotten: 0,
            counted: 0,
            budget: Arc::clone(budget),
        };
        window.count();
        window
    }

    fn find(&self, hash: u64, tried: &[SequenceNr]) -> Option<SequenceNr> {
        let fits = |mark: &&Mark| mark.hash == hash && !tried.contains(&mark.sequence_nr);
        let Some(index) = &self.index else {
            return self.marks.iter().rev().find(fits).map(|mark| mark.sequence_nr);
        };
        let same = index.iter_hash(hash).map(|nr| &self.marks[self.place(*nr)]);
        same.filter(fits).map(|mark| mark.sequence_nr).max()
    }

    fn push(&mut self, mark: Mark) {
        debug_assert!(self.marks.back().is_none_or(|last| last.sequence_nr < mark.sequence_nr));
        if self.marks.len() == self.marks.capacity() {
            // by half, not to the double, and from one on: most entities remember few
            self.marks.reserve_exact(self.marks.len() / 2 + 1);
        }
        self.marks.push_back(mark);
        if self.index.is_some() {
            self.index_mark(self.marks.len() - 1);
        } else {
            self.index_all();
        }
    }

    fn index_all(&mut self) {
        self.index = (self.marks.len() > UNINDEXED_MAX).then(Box::default);
        if self.index.is_some() {
            (0..self.marks.len()).for_each(|place| self.index_mark(place));
        }
    }

    fn index_mark(&mut self, place: usize) {
        let Self { marks, index: Some(index), first, .. } = self else { return };
        let nr = first.wrapping_add(place as u32);
        let hash_of = |nr: &u32| marks[nr.wrapping_sub(*first) as usize].hash;
        index.insert_unique(marks[place].hash, nr, hash_of);
    }

    fn place(&self, nr: u32) -> usize {
        nr.wrapping_sub(self.first) as usize
    }

    /// Forgets the oldest ids, as far as nothing is promised for them any more, before `coming` others come.
    fn forget(&mut self, coming: usize, memory: &Memory<'_>) {
        let Memory { window, durable, reads_back, .. } = *memory;
        let tight = self.budget.is_tight();
        let (mut early, mut reason) = (0, ForgottenFor::Bytes);
        while self.marks.len() + coming > window.commands_min
            && let Some(oldest) = self.marks.front().filter(|oldest| oldest.sequence_nr <= durable)
        {
            if !self.is_old(oldest, window) {
                let crowded = self.marks.len() + coming > window.commands_max;
                let pressed = tight && early < EARLY_MAX;
                if !(crowded || pressed) {
                    break;
                }
                early += 1;
                reason = if crowded { ForgottenFor::Commands } else { ForgottenFor::Bytes };
            }
            self.pop();
        }
        if early > 0 && !(reads_back && reason == ForgottenFor::Commands) {
            self.budget.forgot_early(early, reason);
        }
        self.shrink(tight);
    }

    fn is_old(&self, mark: &Mark, window: &CommandWindow) -> bool {
        // whole seconds that differ by one more are surely that many apart
        let age = i64::from(self.clock.now()) - i64::from(mark.at);
        u64::try_from(age).is_ok_and(|age| age > window.age_min_seconds())
    }

    fn pop(&mut self) {
        let Some(oldest) = self.marks.front() else { return };
        if let Some(index) = &mut self.index
            && let Ok(entry) = index.find_entry(oldest.hash, |nr| *nr == self.first)
        {
            entry.remove();
        }
        self.marks.pop_front();
        self.first = self.first.wrapping_add(1);
        self.forgotten += 1;
        if self.marks.is_empty() {
            self.index = None;
        }
    }

    /// Gives memory back that was needed once: less readily while there is enough.
    fn shrink(&mut self, tight: bool) {
        let (len, capacity) = (self.marks.len(), self.marks.capacity());
        let spare = if tight { capacity / 4 } else { capacity / 4 * 3 };
        if capacity > UNINDEXED_MAX && capacity - len > spare {
            self.marks.shrink_to(len + len / 8 + 1);
            let Self { marks, index: Some(index), first, .. } = self else { return };
            let hash_of = |nr: &u32| marks[nr.wrapping_sub(*first) as usize].hash;
            index.shrink_to(len + len / 8 + 1, hash_of);
        }
    }

    fn count(&mut self) {
        let marks = self.marks.capacity() * size_of::<Mark>();
        let table = |index: &HashTable<u32>| size_of_val(index) + index.allocation_size();
        let bytes = size_of::<Self>() + marks + self.index.as_deref().map_or(0, table);
        if bytes != self.counted {
            self.budget.resized(self.counted, bytes);
            self.counted = bytes;
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.budget.resized(self.counted, 0);
    }
}

#[cfg(test)]
#[path = "command_ids/tests.rs"]
mod tests;
