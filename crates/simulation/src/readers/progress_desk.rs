use super::{ReaderFlaw, RowTable, reader_scene::projection_id};
use crate::journal::{EventAtNr, Journal};
use actum_persistence::progress::{
    DeadLetter, DeadLetterPlace, Epoch, NewProjection, ParkedEntity, ParkedRequest, ProgressChange,
    ProgressSave, ProgressStore, ProjectionId, Rewind, RunnerRow, SaveError, Segment, SegmentClaim,
    StoredProjection, StoredSegment,
};
use actum_store_memory::MemoryTarget;
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// What is kept of the projection, with its rows: the real store in memory, whose answers are there at once.
pub(super) struct ProgressDesk {
    kept: MemoryTarget,
    id: ProjectionId,
    pub(super) rows: RowTable,
    /// Saves whose runners wait no more: they are kept later, or never.
    pub(super) late: Vec<Commit>,
    flaw: ReaderFlaw,
}

/// What a task wants to be kept.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) save: ProgressSave,
    /// Events that were handled, whose rows are kept with it.
    pub(super) rows: Vec<EventAtNr>,
    /// The runner, by its life.
    pub(super) life: usize,
}

/// Its outcome, as the task learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Committed {
    Kept,
    Stale,
    /// Nothing was kept.
    Away,
    Unknown,
}

impl ProgressDesk {
    pub(super) fn new(new: &NewProjection, rows: RowTable, flaw: ReaderFlaw) -> Self {
        let kept = MemoryTarget::new();
        at_once(kept.enter(new)).expect("the store is open");
        Self { kept, id: projection_id(), rows, late: Vec::new(), flaw }
    }

    /// Keeps rows and progress, or nothing.
    pub(super) fn keep(&mut self, commit: &Commit, journal: &Journal) -> Result<(), SaveError> {
        let mut save = commit.save.clone();
        if self.flaw == ReaderFlaw::StaleSaveKept {
            let segments = self.load().segments;
            let kept = segments.into_iter().find(|kept| kept.segment == save.segment);
            save.epoch = kept.map_or(save.epoch, |kept| kept.epoch);
        }
        let result = at_once(self.kept.change(&ProgressChange::Save(save)));
        let keeps_rows = match self.flaw {
            ReaderFlaw::RowsWithoutProgress => true,
            ReaderFlaw::ProgressWithoutRows => commit.rows.len() < 3,
            _ => result.is_ok(),
        };
        if keeps_rows {
            commit.rows.iter().for_each(|at| self.rows.add(*at, journal));
        }
        result
    }

    pub(super) fn rewind(&self, rewind: Rewind) -> Result<(), SaveError> {
        at_once(self.kept.change(&ProgressChange::Rewind(rewind)))
    }

    pub(super) fn load(&self) -> StoredProjection {
        let loaded = at_once(self.kept.load(&self.id)).expect("the store is open");
        loaded.expect("it was entered")
    }

    pub(super) fn renew(&self, runner: &str, dead: &[RunnerRow]) {
        at_once(self.kept.renew(&self.id, runner, dead)).expect("the store is open");
    }

    pub(super) fn leave(&self, runner: &str) {
        at_once(self.kept.leave(&self.id, runner)).expect("the store is open");
    }

    pub(super) fn claim(&self, claim: &SegmentClaim) -> Option<StoredSegment> {
        at_once(self.kept.claim(claim)).expect("the store is open")
    }

    pub(super) fn release(&self, segment: Segment, epoch: Epoch) -> Result<(), SaveError> {
        at_once(self.kept.release(&self.id, segment, epoch))
    }

    pub(super) fn stop(&self, segment: Segment, epoch: Epoch, why: &str) -> Result<(), SaveError> {
        at_once(self.kept.stop(&self.id, segment, epoch, why))
    }

    pub(super) fn divide(
        &self,
        seen: &[(Segment, Epoch)],
        into: &[StoredSegment],
    ) -> Result<(), SaveError> {
        at_once(self.kept.divide(&self.id, seen, into))
    }

    pub(super) fn set_paused(&self, is_paused: bool) {
        at_once(self.kept.set_paused(&self.id, is_paused)).expect("the store is open");
    }

    pub(super) fn parked(&self, segment: Segment) -> Vec<ParkedEntity> {
        at_once(self.kept.parked(&self.id, segment, None, u32::MAX)).expect("the store is open")
    }

    pub(super) fn letters(&self, segment: Segment, is_requested: bool) -> Vec<DeadLetter> {
        let letters = self.kept.dead_letters(&self.id, segment, is_requested, None, u32::MAX);
        at_once(letters).expect("the store is open")
    }

    pub(super) fn request(&self, parked: &ParkedEntity, request: ParkedRequest) {
        let asked = self.kept.request(&self.id, Some(&parked.entity), request);
        at_once(asked).expect("the store is open");
    }

    pub(super) fn request_letter(&self, place: DeadLetterPlace) {
        at_once(self.kept.request_letter(&self.id, Some(place))).expect("the store is open");
    }

    pub(super) fn discard_letter(&self, place: DeadLetterPlace) {
        at_once(self.kept.discard_letter(&self.id, Some(place))).expect("the store is open");
    }
}

/// What a future returns that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory answers at once"),
    }
}
