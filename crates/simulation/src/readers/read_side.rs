use super::{
    Commit, Committed, Poison, ProgressDesk, ReadLedger, ReaderFaults, ReaderFlaw, ReaderScene,
    RowTable,
};
use crate::{Dice, Scene, Seen, journal::Journal};
use actum_model::Timestamp;
use actum_reader::segment::Surrounding;
use std::time::Duration;

/// What all processes that read have around them.
pub(super) struct ReadSide {
    pub(super) dice: Dice,
    pub(super) scene: ReaderScene,
    pub(super) faults: ReaderFaults,
    pub(super) desk: ProgressDesk,
    pub(super) ledger: ReadLedger,
    pub(super) poison: Poison,
    /// Since the beginning; never ahead of the time of those who write.
    pub(super) now: Duration,
    /// What was seen since this was asked last.
    pub(super) sights: Vec<Seen>,
    /// Everything that happened since this was asked last, if that is wanted.
    pub(super) trace: Option<Vec<String>>,
}

impl ReadSide {
    pub(super) fn new(scene: &Scene, flaw: ReaderFlaw, mut dice: Dice, traced: bool) -> Self {
        let scene = ReaderScene::any(scene, flaw, &mut dice);
        let rows = RowTable::new(scene.wanted.len());
        let desk = ProgressDesk::new(&scene.projection(), rows, flaw);
        Self {
            faults: ReaderFaults::any(&mut dice),
            ledger: ReadLedger::new(&scene, &desk.load()),
            desk,
            scene,
            dice,
            poison: Poison::default(),
            now: Duration::ZERO,
            sights: Vec::new(),
            trace: traced.then(Vec::new),
        }
    }

    /// What a machine is told of its surroundings whose clock is so far ahead.
    pub(super) fn around(&mut self, ahead: Duration) -> Surrounding {
        let chance = self.dice.below(1_001) as f64 / 1_000.0;
        Surrounding { now: self.now + ahead, wall: self.wall(), chance }
    }

    pub(super) fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros() as i64)
    }

    pub(super) fn saw(&mut self, seen: Seen) {
        self.sights.push(seen);
    }

    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    /// Tries to keep something, and says so, or not.
    pub(super) fn commit(&mut self, commit: Commit, journal: &Journal) -> Committed {
        if self.dice.chance(self.faults.save_fails) {
            self.saw(Seen::SaveFailed);
            return Committed::Away;
        }
        if !self.dice.chance(self.faults.save_unknown) {
            return self.keep(&commit, journal);
        }
        self.give_up(commit, journal);
        Committed::Unknown
    }

    /// A save that no one waits for: it is kept now, later or never.
    pub(super) fn give_up(&mut self, commit: Commit, journal: &Journal) {
        match self.dice.below(3) {
            0 => self.saw(Seen::SaveUnknownAndNot),
            1 => {
                if self.keep(&commit, journal) == Committed::Kept {
                    self.saw(Seen::SaveUnknownButKept);
                }
            }
            _ => self.desk.late.push(commit),
        }
    }

    /// One of the saves that no one waits for ends.
    pub(super) fn end_late(&mut self, journal: &Journal) {
        let count = self.desk.late.len();
        if count == 0 {
            return;
        }
        let commit = self.desk.late.swap_remove(self.dice.place(count));
        if self.dice.chance(700) {
            match self.keep(&commit, journal) {
                Committed::Kept => self.saw(Seen::SaveLate),
                _ => self.saw(Seen::SaveTooLate),
            }
        }
    }

    fn keep(&mut self, commit: &Commit, journal: &Journal) -> Committed {
        self.say(|| {
            format!("reader {} saves {:?}, rows {:?}", commit.life, commit.save, commit.rows)
        });
        if self.desk.keep(commit, journal).is_err() {
            self.saw(Seen::SaveRefused);
            return Committed::Stale;
        }
        for at in commit.rows.iter().filter(|_| self.scene.rules.is_exact) {
            self.ledger.handled(*at, commit.save.segment, commit.save.epoch);
        }
        self.ledger.kept(commit, journal, &mut self.sights);
        Committed::Kept
    }

    /// The rows are what the journal says.
    pub(super) fn check_rows(&mut self, journal: &Journal) {
        if self.scene.rules.is_exact && self.ledger.fold(journal) != self.desk.rows {
            let (fold, rows) = (self.ledger.fold(journal), &self.desk.rows);
            self.ledger
                .violations
                .push(format!("the rows are {rows:?}, the journal says {fold:?}"));
        }
    }
}
