//! The end of a run: nothing goes wrong any more, so everything is read in time.

use super::{ReaderFaults, Readers};
use crate::{Seen, journal::Journal};
use actum_persistence::progress::ParkedRequest;
use std::time::Duration;

/// So much is done at one moment at most.
const ACTS_MAX: u32 = 100_000;

impl Readers {
    /// Lets everything be read that there is, with what was held back.
    pub(crate) fn come_to_rest(&mut self, journal: &Journal) {
        // a lost announcement delays, and no more than that
        let announcement_lost = if self.side.dice.chance(500) { 1_000 } else { 0 };
        self.side.faults = ReaderFaults { announcement_lost, ..ReaderFaults::default() };
        while !self.side.desk.late.is_empty() {
            self.side.end_late(journal);
        }
        self.side.poison.mend();
        self.runners.iter_mut().for_each(|runner| runner.frozen_until = Duration::ZERO);
        if let Some(divider) = self.divider.take() {
            divider.die(&mut self.side, journal);
        }
        self.end_leaving();
        if self.runners.iter().all(|runner| runner.is_leaving) {
            self.start_one();
        }
        let (begun, time_max) = (self.side.now, self.side.scene.settling_max());
        loop {
            self.help();
            let mut acts = 0;
            while self.act(journal) {
                acts += 1;
                if acts > ACTS_MAX {
                    return self.side.ledger.wrong("readers do not come to an end".to_owned());
                }
            }
            if !self.side.ledger.violations.is_empty() {
                return;
            }
            if self.is_done(journal) {
                break;
            }
            self.side.now = self.due().expect("a runner has another round");
            if self.side.now > begun + time_max {
                let (stored, heads) = (self.side.desk.load(), journal.lane_heads());
                let what = format!("not read up to {heads:?} within {time_max:?}: {stored:?}");
                return self.side.ledger.wrong(what);
            }
        }
        self.side.saw(Seen::AllRead);
        self.side.check_rows(journal);
        self.side.ledger.check_end(journal);
    }

    /// People resume what has stopped, and ask for everything that is held back.
    fn help(&mut self) {
        let stored = self.side.desk.load();
        if stored.is_paused || stored.segments.iter().any(|segment| segment.stopped.is_some()) {
            self.side.desk.set_paused(false);
        }
        for parked in self.all_parked().iter().filter(|parked| parked.request.is_none()) {
            self.ask_parked(parked, ParkedRequest::Replay);
        }
        for letter in self.all_letters().iter().filter(|letter| !letter.is_requested) {
            self.side.desk.request_letter(letter.place);
        }
    }

    /// Whether everything is read, and nothing is held back.
    fn is_done(&self, journal: &Journal) -> bool {
        let (stored, heads) = (self.side.desk.load(), journal.lane_heads());
        let lanes = self.side.scene.layout.lanes;
        let is_read = stored.segments.iter().all(|one| {
            let mut lanes = one.segment.lanes(lanes);
            lanes.all(|lane| one.progress.offset().position(lane) == heads.position(lane))
        });
        is_read && stored.parked + stored.dead_letters == 0
    }
}
