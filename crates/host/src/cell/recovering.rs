//! Recovering: reads a snapshot and the events behind it, while commands wait.
//!
//! Before: nothing, or [`passivating`](super::passivating). After: [`running`](super::running); gone when the journal
//! cannot be read.

use super::{
    Aggregate, CellName, GivenUp, Job, Model, Progress, Read, Turn, Waiting, guard, trouble,
};
use crate::{Failure, Moment, Recovery};
use actum_model::{Entity, SequenceNr};
use actum_persistence::store::StoreError;

pub(super) struct Recovering<M: Model>(Box<RecoveringParts<M>>);

/// Whether an entity goes on recovering after a read.
pub(super) enum StillRecovering<M: Model> {
    Yes(Recovering<M>),
    /// It has recovered; the commands that waited are among the outputs.
    Recovered(Aggregate<M::Entity>),
    /// It cannot be read; the commands that waited were answered.
    Failed,
}

struct RecoveringParts<M: Model> {
    aggregate: Aggregate<M::Entity>,
    older: M::Older,
    waiting: Waiting<M::Entity>,
    began: Moment,
    /// What was asked for before the previous answer was taken in.
    ahead: Option<Read>,
    /// Whether something was read that may have been lost since.
    is_doubtful: bool,
    /// How far events were deleted when it was overtaken, and how often since.
    overtaken: (SequenceNr, u32),
}

/// How often a recovery that was overtaken begins again at most, without more events having been deleted.
const FRUITLESS_MAX: u32 = 2;

impl<M: Model> Recovering<M> {
    /// Begins with the commands that wait already; gives them back when even the initial state cannot be made.
    pub(super) fn begin(
        waiting: Waiting<M::Entity>,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> Result<Self, (Failure, Waiting<M::Entity>)> {
        let initial = match guard(|| M::Entity::initial(&name.id)) {
            Ok(initial) => initial,
            Err(message) => {
                return Err((Failure::Panicked { command: "initial", message }, waiting));
            }
        };
        turn.out.reads.push((M::first_read(&name.key, turn.kind), name.ticket));
        let aggregate = Aggregate::new(initial);
        let (older, overtaken) = (M::Older::default(), Default::default());
        let (began, ahead, is_doubtful) = (turn.now, None, false);
        let parts =
            RecoveringParts { aggregate, older, waiting, began, ahead, is_doubtful, overtaken };
        Ok(Self(Box::new(parts)))
    }

    pub(super) fn command(&mut self, job: Box<dyn Job<M::Entity>>, turn: &mut Turn<'_, M>) {
        let max = turn.kind.settings.commands_max;
        self.0.waiting.stash(job, max, &mut turn.out.settled);
    }

    /// What was read so far, or is being read, may have been lost: once nothing is being read it begins again.
    pub(super) fn doubt(mut self) -> Self {
        self.0.is_doubtful = true;
        self
    }

    pub(super) fn read_ahead(&mut self, name: &CellName<M>, found: &M::Found) -> Option<Read> {
        let RecoveringParts { aggregate, older, ahead, .. } = &mut *self.0;
        *ahead = M::read_ahead(&name.key, aggregate.sequence_nr, older, found);
        ahead.clone()
    }

    pub(super) fn found(
        mut self,
        name: &CellName<M>,
        found: Result<M::Found, StoreError>,
        turn: &mut Turn<'_, M>,
    ) -> StillRecovering<M> {
        let ahead = self.0.ahead.take();
        let RecoveringParts { aggregate, older, .. } = &mut *self.0;
        let progress = found
            .map_err(Failure::of_read)
            .and_then(|found| M::rebuild(&name.key, aggregate, older, found, turn.kind));
        match progress {
            Ok(Progress::Done) if self.0.is_doubtful => self.begin_again(name, turn),
            Ok(Progress::Done) => self.recovered(name, turn),
            Ok(Progress::More(read)) => {
                if ahead.as_ref() != Some(&read) {
                    turn.out.reads.push((read, name.ticket));
                }
                StillRecovering::Yes(self)
            }
            Ok(Progress::Overtaken { floor, failure }) => {
                let (before, often) = self.0.overtaken;
                let often = if floor > before { 1 } else { often + 1 };
                self.0.overtaken = (floor, often);
                if often > FRUITLESS_MAX {
                    return self.give_up(&failure, name, turn);
                }
                self.begin_again(name, turn)
            }
            // a page from before and one from after do not fit; with another one on its way it cannot begin again
            Err(_) if self.0.is_doubtful && ahead.is_none() => self.begin_again(name, turn),
            Err(failure) => self.give_up(&failure, name, turn),
        }
    }

    fn give_up(
        self,
        failure: &Failure,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> StillRecovering<M> {
        trouble::not_recovered(name, failure, turn);
        self.0.waiting.fail(failure, &mut turn.out.settled);
        StillRecovering::Failed
    }

    /// What was read is not what is there: retention has deleted what was to be read next, and a newer snapshot makes up
    /// for it; or the journal has lost events.
    fn begin_again(self, name: &CellName<M>, turn: &mut Turn<'_, M>) -> StillRecovering<M> {
        let RecoveringParts { waiting, began, overtaken, .. } = *self.0;
        match Self::begin(waiting, name, turn) {
            Ok(mut again) => {
                (again.0.began, again.0.overtaken) = (began, overtaken);
                StillRecovering::Yes(again)
            }
            Err((failure, waiting)) => {
                waiting.fail(&failure, &mut turn.out.settled);
                StillRecovering::Failed
            }
        }
    }

    pub(super) fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        self.0.waiting.expire(turn.now, &mut turn.out.settled)
    }

    pub(super) fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        self.0.waiting.abandon(why, &mut turn.out.settled);
    }

    fn recovered(self, name: &CellName<M>, turn: &mut Turn<'_, M>) -> StillRecovering<M> {
        let RecoveringParts { aggregate, mut waiting, began, .. } = *self.0;
        turn.observe(|observer| {
            let (sequence_nr, took) = (aggregate.sequence_nr, turn.now.since(began));
            let events = M::replayed(&aggregate);
            observer.recovered(&name.key, Recovery { sequence_nr, events, took });
        });
        tracing::debug!(entity = %name.key, sequence_nr = %aggregate.sequence_nr, "entity recovered");
        trouble::recovered(turn);
        turn.out.resumed.append(&mut waiting);
        StillRecovering::Recovered(aggregate)
    }
}
