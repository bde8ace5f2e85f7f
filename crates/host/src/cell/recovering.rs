//! Recovering: reads a snapshot and the events behind it, while commands wait.
//!
//! Before: nothing, or [`passivating`](super::passivating). After: [`running`](super::running); gone when the journal
//! cannot be read.

use super::{
    Aggregate, AskStage, EarlyEnd, GivenUp, Job, LeaveReason, Model, Moment, Progress, Read, Turn,
    Waiting,
    entity_cell::{Life, Name, Phase},
    guard,
    running::Running,
    trouble,
};
use crate::{Bound, Failure, Recovery};
use actum_model::{Entity, SequenceNr};
use actum_persistence::store::StoreError;

pub(super) struct Recovering<M: Model>(Box<Inner<M>>);

struct Inner<M: Model> {
    aggregate: Aggregate<M>,
    older: M::Older,
    waiting: Waiting<M::Entity>,
    began: Moment,
    /// What was asked for before the previous answer was taken in.
    ahead: Option<Read>,
    /// How far events were deleted when it was overtaken, and how often since.
    overtaken: (SequenceNr, u32),
}

/// How often a recovery that was overtaken begins again at most, without more events having been deleted.
const FRUITLESS_MAX: u32 = 2;

impl<M: Model> Recovering<M> {
    pub(super) fn begin(name: &Name<M>, turn: &mut Turn<'_, M>) -> Result<Self, Failure> {
        Self::begin_with(Waiting::<M::Entity>::new(), name, turn).map_err(|(failure, _)| failure)
    }

    /// Begins with commands that wait already; gives them back when even the initial state cannot be made.
    pub(super) fn begin_with(
        waiting: Waiting<M::Entity>,
        name: &Name<M>,
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
        let (began, ahead) = (turn.now, None);
        Ok(Self(Box::new(Inner { aggregate, older, waiting, began, ahead, overtaken })))
    }

    pub(super) fn command(&mut self, job: Box<dyn Job<M::Entity>>, turn: &mut Turn<'_, M>) -> Life {
        stash(&mut self.0.waiting, 0, job, turn);
        Life::Stays
    }

    pub(super) fn read_ahead(&mut self, name: &Name<M>, found: &M::Found) -> Option<Read> {
        let Inner { aggregate, older, ahead, .. } = &mut *self.0;
        *ahead = M::read_ahead(&name.key, aggregate.sequence_nr, older, found);
        ahead.clone()
    }

    pub(super) fn found(
        mut self,
        name: &Name<M>,
        found: Result<M::Found, StoreError>,
        turn: &mut Turn<'_, M>,
    ) -> Phase<M> {
        let ahead = self.0.ahead.take();
        let Inner { aggregate, older, .. } = &mut *self.0;
        let progress = found
            .map_err(Failure::of_read)
            .and_then(|found| M::rebuild(&name.key, aggregate, older, found, turn.kind));
        match progress {
            Ok(Progress::Done) => self.run(name, turn),
            Ok(Progress::More(read)) => {
                if ahead.as_ref() != Some(&read) {
                    turn.out.reads.push((read, name.ticket));
                }
                Phase::Recovering(self)
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
            Err(failure) => self.give_up(&failure, name, turn),
        }
    }

    fn give_up(self, failure: &Failure, name: &Name<M>, turn: &mut Turn<'_, M>) -> Phase<M> {
        trouble::not_recovered(name, failure, turn);
        fail_waiting(self.0.waiting, failure, turn);
        Phase::Gone(LeaveReason::NotRecovered)
    }

    /// Retention has deleted what was to be read next: a newer snapshot makes up for it.
    fn begin_again(self, name: &Name<M>, turn: &mut Turn<'_, M>) -> Phase<M> {
        let Inner { waiting, began, overtaken, .. } = *self.0;
        match Self::begin_with(waiting, name, turn) {
            Ok(mut again) => {
                (again.0.began, again.0.overtaken) = (began, overtaken);
                Phase::Recovering(again)
            }
            Err((failure, waiting)) => {
                fail_waiting(waiting, &failure, turn);
                Phase::Gone(LeaveReason::NotRecovered)
            }
        }
    }

    pub(super) fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        expire_waiting(&mut self.0.waiting, turn)
    }

    pub(super) fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        abandon_waiting(self.0.waiting, why, turn);
    }

    fn run(self, name: &Name<M>, turn: &mut Turn<'_, M>) -> Phase<M> {
        let Inner { aggregate, mut waiting, began, .. } = *self.0;
        turn.observe(|observer| {
            let (sequence_nr, took) = (aggregate.sequence_nr, turn.now.since(began));
            let events = M::replayed(&aggregate);
            observer.recovered(&name.key, Recovery { sequence_nr, events, took });
        });
        tracing::debug!(entity = %name.key, sequence_nr = %aggregate.sequence_nr, "entity recovered");
        trouble::recovered(turn);
        turn.out.resumed.append(&mut waiting);
        Phase::Running(Running::new(aggregate))
    }
}

/// Lets a command wait, if there is room beside the `others` of its entity.
pub(super) fn stash<M: Model>(
    waiting: &mut Waiting<M::Entity>,
    others: usize,
    job: Box<dyn Job<M::Entity>>,
    turn: &mut Turn<'_, M>,
) {
    if waiting.len() + others >= turn.kind.settings.commands_max {
        turn.out.settle(job, Err(Failure::Overloaded { bound: Bound::EntityCommands }));
    } else {
        waiting.push_back(job);
    }
}

pub(super) fn expire_waiting<M: Model>(
    waiting: &mut Waiting<M::Entity>,
    turn: &mut Turn<'_, M>,
) -> Moment {
    let mut next = Moment::NEVER;
    for job in std::mem::take(waiting) {
        let deadline = job.envelope().deadline;
        if deadline <= turn.now {
            let maybe_applied = is_begun(&*job);
            turn.out.settle(job, Err(Failure::Timeout { maybe_applied }));
        } else {
            next = next.min(deadline);
            waiting.push_back(job);
        }
    }
    next
}

/// Whether a command was begun before: a retry that waits for the second time, and whose first time may well be stored.
pub(super) fn is_begun<E: Entity>(job: &dyn Job<E>) -> bool {
    job.open_ask().is_some_and(|ask| ask.stage() == AskStage::Begun)
}

/// Answers commands that will not be handled. Of one that was begun before the first time may well be stored.
pub(super) fn abandon_waiting<M: Model>(
    waiting: Waiting<M::Entity>,
    why: &GivenUp,
    turn: &mut Turn<'_, M>,
) {
    for job in waiting {
        let failure = EarlyEnd::Abandoned(why).failure(is_begun(&*job));
        turn.out.settle(job, Err(failure));
    }
}

pub(super) fn fail_waiting<M: Model>(
    waiting: Waiting<M::Entity>,
    failure: &Failure,
    turn: &mut Turn<'_, M>,
) {
    for job in waiting {
        turn.out.settle(job, Err(failure.clone()));
    }
}
