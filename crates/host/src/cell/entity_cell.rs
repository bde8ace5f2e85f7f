use super::{
    CellName, FoundRecord, GivenUp, Job, Life, Model, Read, Ticket, Turn, Waiting,
    model::id_of,
    phase::Phase,
    recovering::Recovering,
    running::{Next, Running},
    waiting::is_begun,
};
use crate::{Failure, LeaveReason, Moment};
use actum_model::{EntityKey, SequenceNr};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};

/// One entity in memory.
pub struct Cell<M: Model> {
    name: CellName<M>,
    phase: Phase<M>,
}

impl<M: Model> Cell<M> {
    /// Makes the cell of an entity that is not in memory: it begins to recover.
    pub fn activate(
        key: EntityKey,
        ticket: Ticket,
        turn: &mut Turn<'_, M>,
    ) -> Result<Self, Failure> {
        let id = id_of::<M>(&key)?;
        let name = CellName { key, id, ticket };
        let recovering = Recovering::begin(Waiting::none(), &name, turn);
        let phase = Phase::Recovering(recovering.map_err(|(failure, _)| failure)?);
        Ok(Self { name, phase })
    }

    pub fn key(&self) -> &EntityKey {
        &self.name.key
    }

    pub fn ticket(&self) -> Ticket {
        self.name.ticket
    }

    /// Takes a command, for the first time or again after it has waited.
    pub fn command(&mut self, job: Box<dyn Job<M::Entity>>, turn: &mut Turn<'_, M>) -> Life {
        if job.envelope().deadline <= turn.now {
            let maybe_applied = is_begun(&*job);
            turn.out.settle(job, Err(Failure::Timeout { maybe_applied }));
            return self.phase.life();
        }
        match &mut self.phase {
            Phase::Running(phase) => {
                let next = phase.command(&self.name, job, turn);
                self.go_on(next, turn)
            }
            Phase::Recovering(phase) => {
                phase.command(job, turn);
                Life::Stays
            }
            Phase::Passivating(phase) => {
                phase.command(job, turn);
                Life::Stays
            }
            Phase::Gone(_) => unreachable!("a cell that is gone takes no input"),
        }
    }

    /// Says what to read while `found` is being taken in; to be called right before [`Cell::found`].
    pub fn read_ahead(&mut self, found: &M::Found) -> Option<Read> {
        match &mut self.phase {
            Phase::Recovering(phase) => phase.read_ahead(&self.name, found),
            _ => None,
        }
    }

    /// Takes what a read brought.
    pub fn found(&mut self, found: Result<M::Found, StoreError>, turn: &mut Turn<'_, M>) -> Life {
        self.step(turn, |phase, name, turn| match phase {
            Phase::Recovering(phase) => Phase::after_read(phase.found(name, found, turn)),
            other => other, // what was read ahead is not needed any more
        })
    }

    /// Takes what was recorded of the command whose last change has this number.
    pub fn recorded(
        &mut self,
        sequence_nr: SequenceNr,
        found: &FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> Life {
        if let Phase::Running(phase) = &mut self.phase {
            return match phase.recorded(&self.name, sequence_nr, found, turn) {
                (Next::Runs, _) => Life::Stays,
                (next, wait) => self.step(turn, |phase, name, turn| match phase {
                    Phase::Running(phase) => Phase::after_running(phase, next, wait, name, turn),
                    other => other,
                }),
            };
        }
        self.step(turn, |phase, name, turn| match phase {
            Phase::Passivating(phase) => {
                let passivating = phase.recorded(name, sequence_nr, found, turn);
                Phase::after_passivating(passivating, name, turn)
            }
            other => other, // what waited for it has begun again
        })
    }

    /// Takes the outcome of the append under way.
    pub fn committed(
        &mut self,
        result: Result<Committed, CommitError>,
        turn: &mut Turn<'_, M>,
    ) -> Life {
        if let Phase::Running(phase) = &mut self.phase {
            let next = phase.committed(&self.name, result, turn);
            return self.go_on(next, turn);
        }
        self.step(turn, |phase, name, turn| match phase {
            Phase::Passivating(phase) => {
                let passivating = phase.committed(name, result, turn);
                Phase::after_passivating(passivating, name, turn)
            }
            _ => unreachable!("no append of a recovering entity is under way"),
        })
    }

    /// Sends staged changes, at the end of a turn or when the flush window is over. Says when to call again at the
    /// latest.
    pub fn flush(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        match &mut self.phase {
            Phase::Running(phase) => phase.flush(&self.name, turn),
            _ => Moment::NEVER,
        }
    }

    /// Answers commands whose callers have stopped waiting. Says when the next one does.
    pub fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        match &mut self.phase {
            Phase::Recovering(phase) => phase.expire(turn),
            Phase::Running(phase) => phase.expire(turn),
            Phase::Passivating(phase) => phase.expire(turn),
            Phase::Gone(_) => Moment::NEVER,
        }
    }

    /// Leaves memory, if nothing is under way.
    pub fn passivate(&mut self, reason: LeaveReason, turn: &mut Turn<'_, M>) -> Life {
        self.step(turn, |phase, name, turn| match phase {
            Phase::Running(phase) if phase.is_idle() => {
                end(phase, Next::Leaves(reason), name, turn)
            }
            other => other,
        })
    }

    /// Begins to leave memory whatever is under way: sends it, answers it, takes nothing new into the state. To be called
    /// until the cell is gone: it stays for commands that wait for a record, since one of those may turn out to be new.
    pub fn drain(&mut self, turn: &mut Turn<'_, M>) -> Life {
        self.step(turn, |phase, name, turn| match phase {
            Phase::Running(phase) if phase.awaits_records() => Phase::Running(phase),
            Phase::Running(phase) => end(phase, Next::Leaves(LeaveReason::Drained), name, turn),
            other => other,
        })
    }

    /// Takes in that the journal has lost events, maybe some that the state was made of: what is under way is settled, and
    /// then the next command recovers from what is left.
    pub fn doubt(&mut self, turn: &mut Turn<'_, M>) -> Life {
        self.step(turn, |phase, name, turn| match phase {
            Phase::Recovering(phase) => Phase::Recovering(phase.doubt()),
            Phase::Running(phase) => {
                end(phase, Next::Leaves(LeaveReason::JournalRegressed), name, turn)
            }
            Phase::Passivating(phase) => Phase::Passivating(phase.doubt()),
            gone @ Phase::Gone(_) => gone,
        })
    }

    /// Fails everything that waits, because nothing of it can be served any more.
    pub fn abandon(&mut self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        match std::mem::replace(&mut self.phase, Phase::Gone(LeaveReason::Abandoned)) {
            Phase::Recovering(phase) => phase.abandon(why, turn),
            Phase::Running(phase) => phase.abandon(why, turn),
            Phase::Passivating(phase) => phase.abandon(why, turn),
            Phase::Gone(_) => {}
        }
    }

    /// Whether no caller waits for the entity and nothing of it is under way.
    pub fn is_idle(&self) -> bool {
        matches!(&self.phase, Phase::Running(phase) if phase.is_idle())
    }

    /// Ends the running phase if it is to end. The phase stays in its place otherwise: it is large, and this is on the
    /// path of every command.
    fn go_on(&mut self, next: Next, turn: &mut Turn<'_, M>) -> Life {
        if matches!(next, Next::Runs) {
            return Life::Stays;
        }
        self.step(turn, |phase, name, turn| match phase {
            Phase::Running(phase) => end(phase, next, name, turn),
            other => other,
        })
    }

    fn step(
        &mut self,
        turn: &mut Turn<'_, M>,
        input: impl FnOnce(Phase<M>, &CellName<M>, &mut Turn<'_, M>) -> Phase<M>,
    ) -> Life {
        let taken = Phase::Gone(LeaveReason::Abandoned);
        let phase = std::mem::replace(&mut self.phase, taken);
        self.phase = input(phase, &self.name, turn);
        self.phase.life()
    }
}

/// Where a running entity goes that no commands wait for besides those in it.
fn end<M: Model>(
    running: Running<M>,
    next: Next,
    name: &CellName<M>,
    turn: &mut Turn<'_, M>,
) -> Phase<M> {
    Phase::after_running(running, next, Waiting::none(), name, turn)
}
