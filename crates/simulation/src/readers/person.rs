//! What people do: they ask for what is held back, pause, rewind, and mend their handlers.

use super::{ReaderFlaw, Readers, SimDivider};
use crate::{
    Seen,
    journal::{EventAtNr, Journal, number_of},
};
use actum_model::{Offset, Position};
use actum_persistence::progress::{DeadLetter, ParkedEntity, ParkedRequest, Rewind, Segment};
use std::num::NonZeroU16;

impl Readers {
    /// Someone does something.
    pub(super) fn person(&mut self, journal: &Journal) {
        let faults = &self.side.faults;
        let odds = [30, 20, 30, faults.pause, faults.rewind, faults.divide, 10];
        match self.side.dice.weighted(&odds) {
            0 => self.ask_for_parked(),
            1 => self.ask_for_letters(),
            2 => {
                self.side.desk.set_paused(false);
                self.side.say(|| "the projection is resumed".to_owned());
            }
            3 => {
                self.side.saw(Seen::Paused);
                self.side.say(|| "the projection is paused".to_owned());
                self.side.desk.set_paused(true);
            }
            4 => self.rewind(journal),
            5 => self.divide(),
            _ => self.side.poison.mend(),
        }
    }

    pub(super) fn all_parked(&self) -> Vec<ParkedEntity> {
        self.side.desk.parked(Segment::all(self.side.scene.layout.partitions))
    }

    pub(super) fn all_letters(&self) -> Vec<DeadLetter> {
        self.side.desk.letters(Segment::all(self.side.scene.layout.partitions), false)
    }

    fn ask_for_parked(&mut self) {
        for parked in self.all_parked() {
            match self.side.dice.below(10) {
                0 | 1 => self.ask_parked(&parked, ParkedRequest::Replay),
                2 => self.ask_parked(&parked, ParkedRequest::Discard),
                _ => {}
            }
        }
    }

    pub(super) fn ask_parked(&mut self, parked: &ParkedEntity, request: ParkedRequest) {
        self.side.say(|| format!("{request:?} is asked of {:?}", parked.entity));
        self.side.desk.request(parked, request);
        if let Some(held) = self.side.ledger.parked.get_mut(&number_of(&parked.entity)) {
            held.may_replay |= request == ParkedRequest::Replay;
            held.may_discard |= request == ParkedRequest::Discard;
        }
    }

    fn ask_for_letters(&mut self) {
        for letter in self.all_letters() {
            match self.side.dice.below(10) {
                0 | 1 => self.side.desk.request_letter(letter.place),
                2 => {
                    self.side.saw(Seen::LetterDiscarded);
                    self.side.say(|| format!("{:?} is discarded", letter.place));
                    self.side.desk.discard_letter(letter.place);
                    if let Some(at) = self.side.ledger.letters.remove(&letter.place) {
                        self.side.ledger.mark(at).is_discarded = true;
                    }
                }
                _ => {}
            }
        }
    }

    /// A process begins to divide the projection, unless one does.
    fn divide(&mut self) {
        let count = self.side.dice.between(1, u64::from(self.side.scene.layout.partitions.get()));
        let count = NonZeroU16::new(count as u16).expect("at least 1");
        if let (None, Some(runner)) = (&self.divider, self.runners.first()) {
            self.side.say(|| format!("{} divides the projection into {count}", runner.name));
            self.divider = SimDivider::new(&runner.name, count, &mut self.side);
        }
    }

    /// The projection begins somewhere else, and its rows with it.
    fn rewind(&mut self, journal: &Journal) {
        let stored = self.side.desk.load();
        let (read_to, deleted_to) = (stored.read_to(), journal.deleted_to());
        let mut lanes = read_to.positions().iter().zip(deleted_to.positions());
        // what is deleted cannot be read again, and what was not read would be skipped
        if lanes.any(|(read, deleted)| deleted > read) {
            return;
        }
        let to = read_to.positions().iter().zip(deleted_to.positions()).map(|(read, deleted)| {
            let back = if self.side.dice.chance(500) { read.get() - deleted.get() } else { 0 };
            Position::new(read.get() - back.min(self.side.dice.below(read.get() + 1)))
        });
        let to = Offset::of_positions(to.collect::<Vec<_>>());
        self.side.say(|| format!("the projection is rewound to {to:?}"));
        let live_from = journal.lane_heads();
        let (projection, seen) = (stored.id.clone(), stored.epochs());
        let rewind = Rewind { projection, to: to.clone(), live_from, seen };
        self.side.desk.rewind(rewind).expect("nothing has happened since it was loaded");
        self.side.saw(Seen::Rewound);
        if self.side.scene.rules.is_exact && self.side.scene.flaw != ReaderFlaw::RowsNotCleared {
            self.clear_rows(&to, journal);
        }
        self.side.ledger.rewound(&to, journal);
        self.side.check_rows(journal);
    }

    /// What is behind `to` is not in the rows any more.
    fn clear_rows(&mut self, to: &Offset, journal: &Journal) {
        let ledger = &self.side.ledger;
        for (entity, marks) in (0..).zip(&ledger.marks) {
            let to = to.position(ledger.lane_of(entity, journal));
            for (nr, _) in (1..).zip(marks).filter(|(_, mark)| mark.times > 0) {
                let at = EventAtNr { entity, nr };
                if journal.event(at).position > to {
                    self.side.desk.rows.subtract(at, journal);
                }
            }
        }
    }
}
