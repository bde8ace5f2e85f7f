use super::{
    Commit, ReadLedger,
    read_ledger::{HeldBack, Holding},
};
use crate::{
    Seen,
    journal::{EventAtNr, Journal, number_of},
};
use actum_model::{Lane, SequenceNr};
use actum_persistence::progress::{DeadLetterPlace, ProgressSave, ReplayedTo};

/// Checks what is kept.
impl ReadLedger {
    /// This was kept, just now.
    pub(super) fn kept(&mut self, commit: &Commit, journal: &Journal, saw: &mut Vec<Seen>) {
        let Commit { save, life, .. } = commit;
        let holder = self.holders.get(&save.segment).copied().flatten();
        if holder != Some(Holding { epoch: save.epoch, life: *life }) {
            let (segment, epoch) = (save.segment, save.epoch);
            self.wrong(format!("life {life} saves {segment} in {epoch}, held by {holder:?}"));
        }
        self.replayed(save, journal, saw);
        self.parked(save, saw);
        self.letters(save, saw);
        self.progressed(save, journal, saw);
    }

    /// Parked entities were replayed up to somewhere: everything in front of that was handled, or discarded.
    fn replayed(&mut self, save: &ProgressSave, journal: &Journal, saw: &mut Vec<Seen>) {
        for ReplayedTo { entity, from } in &save.replayed {
            let entity = number_of(entity);
            let Some(held) = self.parked.get(&entity).copied() else {
                if from.is_none() {
                    self.wrong(format!("{entity} was replayed, and is not parked"));
                }
                continue;
            };
            let read_to = save.progress.offset().position(self.lane_of(entity, journal));
            let events = journal.events_of(entity).iter();
            let end = events.take_while(|event| event.position <= read_to).count() as u64 + 1;
            let end = from.map_or(end, SequenceNr::get);
            for nr in held.from..end {
                let at = EventAtNr { entity, nr };
                let mark = *self.mark(at);
                if mark.times > 0 && mark.epoch == save.epoch {
                    continue;
                }
                if !held.may_discard || from.is_some() {
                    self.wrong(format!("{at:?} was held back, and is not handled: {held:?}"));
                } else if mark.times == 0 {
                    let mark = self.mark(at);
                    mark.skip();
                    mark.is_discarded = true;
                    saw.push(Seen::ParkedDiscarded);
                }
            }
            match from {
                Some(from) => {
                    self.parked.insert(entity, HeldBack { from: from.get(), ..held });
                }
                None => {
                    self.parked.remove(&entity);
                    saw.push(Seen::ParkedReplayed);
                }
            }
        }
    }

    fn parked(&mut self, save: &ProgressSave, saw: &mut Vec<Seen>) {
        for parked in &save.parked {
            let entity = number_of(&parked.entity);
            let at = EventAtNr { entity, nr: parked.from.get() };
            let held = HeldBack { from: at.nr, may_replay: false, may_discard: false };
            if self.parked.insert(entity, held).is_none() {
                self.given_up(at, parked.attempts);
                saw.push(Seen::EntityParked);
            } else {
                saw.push(Seen::ReplayFailed);
            }
            let segments_max = usize::from(self.scene.layout.partitions.get());
            if self.parked.len() > self.scene.rules.parked_max * segments_max {
                let parked = self.parked.len();
                self.wrong(format!("{parked} entities are parked"));
            }
        }
    }

    fn letters(&mut self, save: &ProgressSave, saw: &mut Vec<Seen>) {
        for place in &save.letters_replayed {
            if let Some(at) = self.letters.remove(place) {
                let mark = *self.mark(at);
                if mark.times == 0 || mark.epoch != save.epoch {
                    self.wrong(format!("{at:?} was a dead letter, and is not handled"));
                }
                saw.push(Seen::LetterReplayed);
            }
        }
        for letter in &save.dead_letters {
            let at = EventAtNr { entity: number_of(&letter.entity), nr: letter.sequence_nr.get() };
            if self.letters.insert(letter.place, at).is_none() && !self.mark(at).is_skipped {
                self.given_up(at, letter.attempts);
                saw.push(Seen::LetterKept);
            }
            self.mark(at).skip();
        }
    }

    /// An event was given up: after all of its tries, if its handler has failed.
    fn given_up(&mut self, at: EventAtNr, attempts: u32) {
        let (tries, retries) =
            (self.tries.remove(&at).unwrap_or_default(), self.scene.rules.retries);
        if attempts > 0 && (attempts <= retries || tries < attempts) {
            let what = format!("after {attempts} attempts, {tries} tries and {retries} retries");
            self.wrong(format!("{at:?} is given up {what}"));
        }
    }

    /// The offset has moved: everything in front of it was handled in this epoch, is held back, or was skipped.
    fn progressed(&mut self, save: &ProgressSave, journal: &Journal, saw: &mut Vec<Seen>) {
        let Some(before) = self.saved.insert(save.segment, save.progress.offset().clone()) else {
            return self.wrong(format!("there is no segment {}", save.segment));
        };
        for lane in self.scene.layout.lanes.iter() {
            let (from, to) = (before.position(lane), save.progress.offset().position(lane));
            if to < from {
                self.wrong(format!("{} goes back from {from} to {to}", save.segment));
            }
            for position in from.get() + 1..=to.get() {
                self.check_passed(save, lane, position, journal, saw);
            }
        }
    }

    fn check_passed(
        &mut self,
        save: &ProgressSave,
        lane: Lane,
        position: u64,
        journal: &Journal,
        saw: &mut Vec<Seen>,
    ) {
        let at = journal.at(lane, position);
        if !self.wants(at.entity) || !save.segment.contains(journal.partition_of(at.entity)) {
            return;
        }
        let mark = *self.mark(at);
        let held = self.parked.get(&at.entity).is_some_and(|held| held.from <= at.nr);
        let place = DeadLetterPlace { lane, position: journal.event(at).position };
        if held && mark.times == 0 {
            saw.push(Seen::HeldBack);
        }
        let is_handled = mark.times > 0 && mark.epoch == save.epoch;
        if !is_handled && !held && !self.letters.contains_key(&place) && !mark.is_discarded {
            let (segment, epoch) = (save.segment, save.epoch);
            self.wrong(format!("{segment} in {epoch} has passed {at:?}, not handled: {mark:?}"));
        }
    }
}
