use super::{Commit, Committed, ReadSide, ReaderFlaw};
use crate::{Seen, journal::Journal};
use actum_model::{EntityKey, Lane, Offset, Position, SequenceNr};
use actum_persistence::progress::{Epoch, ProgressSave, Segment, StoredSegment};
use actum_reader::segment::{Batch, SegmentEnd, SegmentMachine, SegmentStep};
use std::time::Duration;

/// The task of a segment: it carries out what the real machine says, a little at a time.
pub(super) struct SimTask {
    pub(super) segment: Segment,
    pub(super) epoch: Epoch,
    /// The runner, by its life.
    pub(super) life: usize,
    /// How far its clock is ahead.
    pub(super) ahead: Duration,
    pub(super) machine: SegmentMachine,
    pub(super) doing: Doing,
    pub(super) controls: SimControls,
    /// How far it reads, if that is not as far as the journal goes: then it ends.
    until: Option<Offset>,
}

/// What its runner wants of a task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SimControls {
    pub(super) is_lost: bool,
    pub(super) ends: bool,
    pub(super) has_requests: bool,
}

/// What is under way; the clock is that of the side of the readers.
#[derive(Debug)]
pub(super) enum Doing {
    Deciding,
    ReadingLane {
        lane: Lane,
        after: Position,
    },
    ReadingEntity {
        entity: EntityKey,
        after: SequenceNr,
        one: bool,
    },
    /// The first `done` were handled.
    Handling {
        batch: Batch,
        done: usize,
    },
    /// The first `handled` were handled, and are to be kept.
    Committing {
        batch: Batch,
        handled: usize,
    },
    Saving(ProgressSave),
    /// Until then, or until the head is another than number `heard`.
    Idle {
        until: Option<Duration>,
        heard: u64,
    },
    Waiting {
        until: Duration,
    },
    GivingBack(SegmentEnd),
}

impl SimTask {
    /// Begins with a segment that was just claimed.
    pub(super) fn begin(
        claimed: StoredSegment,
        life: usize,
        ahead: Duration,
        side: &mut ReadSide,
    ) -> Self {
        let (segment, epoch) = (claimed.segment, claimed.epoch);
        let parked = side.desk.parked(segment);
        let letters = side.desk.letters(segment, true);
        let known = if side.scene.flaw == ReaderFlaw::ParkedForgotten { &[] } else { &*parked };
        let (id, lanes) = (super::reader_scene::projection_id(), side.scene.layout.lanes);
        let (rules, now) = (side.scene.followed_rules(), side.now + ahead);
        let mut machine = SegmentMachine::new(id, claimed, known, lanes, rules, now);
        machine.requested(parked, letters);
        let (doing, controls) = (Doing::Deciding, SimControls::default());
        Self { segment, epoch, life, ahead, machine, doing, controls, until: None }
    }

    /// The same, exactly so far.
    pub(super) fn until(self, until: Offset) -> Self {
        Self { until: Some(until), ..self }
    }

    /// Whether it has something to do now, where the head has changed so often.
    pub(super) fn is_ready(&self, now: Duration, heard: u64) -> bool {
        match &self.doing {
            Doing::Idle { heard: known, .. } if *known != heard => true,
            Doing::Idle { .. } | Doing::Waiting { .. } => {
                self.is_wanted() || self.due().is_some_and(|due| due <= now)
            }
            _ => true,
        }
    }

    /// When it has something to do, if it waits for that.
    pub(super) fn due(&self) -> Option<Duration> {
        match &self.doing {
            Doing::Idle { until, .. } => *until,
            Doing::Waiting { until } => Some(*until),
            _ => None,
        }
    }

    /// Whether events are being handled, or kept.
    pub(super) fn is_in_batch(&self) -> bool {
        matches!(self.doing, Doing::Handling { .. } | Doing::Committing { .. })
    }

    fn is_wanted(&self) -> bool {
        let SimControls { is_lost, ends, has_requests } = self.controls;
        is_lost || ends || has_requests
    }

    /// Goes a step further; says how it has ended, when it has.
    pub(super) fn step(
        &mut self,
        heads: &Offset,
        heard: u64,
        side: &mut ReadSide,
        journal: &Journal,
    ) -> Option<SegmentEnd> {
        match std::mem::replace(&mut self.doing, Doing::Deciding) {
            Doing::Deciding | Doing::Idle { .. } | Doing::Waiting { .. } => {
                self.decide(heads, heard, side);
            }
            Doing::ReadingLane { lane, after } => self.read_lane(lane, after, side, journal),
            Doing::ReadingEntity { entity, after, one } => {
                self.read_entity(&entity, after, one, side, journal);
            }
            Doing::Handling { batch, done } if side.scene.rules.is_exact => {
                self.handle_exact(batch, done, side);
            }
            Doing::Handling { batch, done } => self.handle_some(batch, done, side),
            Doing::Committing { batch, handled } => self.commit(&batch, handled, side, journal),
            Doing::Saving(save) => self.save(save, side, journal),
            Doing::GivingBack(end) => return Some(self.give_back(end, side)),
        }
        None
    }

    /// Asks the machine what comes next.
    fn decide(&mut self, heads: &Offset, heard: u64, side: &mut ReadSide) {
        let SimControls { is_lost, ends, has_requests } = self.controls;
        self.controls = SimControls { has_requests: false, ..self.controls };
        if is_lost {
            self.machine.lose();
        } else if ends || self.is_there() {
            self.machine.stop();
        } else if has_requests && !side.dice.chance(side.faults.round_fails) {
            let parked = side.desk.parked(self.segment);
            self.machine.requested(parked, side.desk.letters(self.segment, true));
        }
        let step = match &self.until {
            Some(until) => self.machine.next(side.now + self.ahead, &first(heads, until)),
            None => self.machine.next(side.now + self.ahead, heads),
        };
        self.doing = match step {
            SegmentStep::ReadLane { lane, after } => Doing::ReadingLane { lane, after },
            SegmentStep::ReadEntity { entity, after, one } => {
                Doing::ReadingEntity { entity, after, one }
            }
            SegmentStep::Handle(batch) => Doing::Handling { batch, done: 0 },
            SegmentStep::Save(save) => Doing::Saving(save),
            SegmentStep::Idle { until } => {
                let until = until.map(|until| until.saturating_sub(self.ahead));
                Doing::Idle { until, heard }
            }
            SegmentStep::Wait { until } => {
                Doing::Waiting { until: until.saturating_sub(self.ahead) }
            }
            SegmentStep::End(end) => Doing::GivingBack(end),
        };
    }

    /// Whether it is where it is to end.
    fn is_there(&self) -> bool {
        let offset = self.machine.progress().offset();
        self.until.as_ref().is_some_and(|until| first(offset, until) == *until)
    }

    fn read_lane(&mut self, lane: Lane, after: Position, side: &mut ReadSide, journal: &Journal) {
        let around = side.around(self.ahead);
        if side.dice.chance(side.faults.page_fails) {
            side.saw(Seen::PageUnread);
            return self.machine.read_failed("the simulation says so", around);
        }
        let positions = side.dice.between(1, side.scene.page as u64) as usize;
        let wants = |entity: u32| {
            side.ledger.wants(entity) && self.segment.contains(journal.partition_of(entity))
        };
        let positions = match &self.until {
            Some(until) => positions.min((until.position(lane).get() - after.get()) as usize),
            None => positions,
        };
        let page = journal.read_lane(lane, after, positions, wants);
        self.machine.read_lane(lane, page, around);
    }

    fn read_entity(
        &mut self,
        entity: &EntityKey,
        after: SequenceNr,
        one: bool,
        side: &mut ReadSide,
        journal: &Journal,
    ) {
        let around = side.around(self.ahead);
        if side.dice.chance(side.faults.page_fails) {
            side.saw(Seen::PageUnread);
            return self.machine.read_failed("the simulation says so", around);
        }
        let count = if one { 1 } else { side.dice.between(1, 4) as usize };
        let page = journal.read_entity(entity, after, count);
        self.machine.read_entity(page, around);
    }

    fn save(&mut self, mut save: ProgressSave, side: &mut ReadSide, journal: &Journal) {
        save.saved_at = side.wall();
        let commit = Commit { save: save.clone(), rows: Vec::new(), life: self.life };
        match side.commit(commit, journal) {
            Committed::Kept => self.machine.saved(&save, side.now + self.ahead),
            Committed::Stale | Committed::Unknown => self.machine.lose(),
            Committed::Away => {
                let around = side.around(self.ahead);
                self.machine.save_failed("away", around);
            }
        }
    }

    fn give_back(&mut self, end: SegmentEnd, side: &mut ReadSide) -> SegmentEnd {
        if side.dice.chance(side.faults.round_fails) {
            return SegmentEnd::Lost;
        }
        let given_back = match &end {
            SegmentEnd::Released => side.desk.release(self.segment, self.epoch),
            SegmentEnd::Stopped(why) => {
                side.saw(Seen::SegmentStopped);
                side.desk.stop(self.segment, self.epoch, why)
            }
            SegmentEnd::Lost => return end,
        };
        if given_back.is_ok() {
            side.saw(Seen::SegmentGivenBack);
            side.ledger.freed(self.segment);
        }
        end
    }

    /// It is gone in the middle of what it does: what it was to keep may be kept all the same.
    pub(super) fn die(self, side: &mut ReadSide, journal: &Journal) {
        if self.is_in_batch() {
            side.saw(Seen::DiedInBatch);
        }
        let commit = match &self.doing {
            Doing::Committing { batch, handled } => self.commit_of(batch, *handled, side),
            Doing::Saving(save) => Commit { save: save.clone(), rows: Vec::new(), life: self.life },
            _ => return,
        };
        side.give_up(commit, journal);
    }
}

/// In each lane the position that comes first.
fn first(one: &Offset, other: &Offset) -> Offset {
    let places = one.positions().iter().zip(other.positions());
    Offset::of_positions(places.map(|(one, other)| *one.min(other)).collect::<Vec<_>>())
}
