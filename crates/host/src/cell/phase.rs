use super::{
    CellName, Life, Model, Turn, Waiting,
    passivating::{Passivating, StillPassivating},
    recovering::{Recovering, StillRecovering},
    running::{Next, Running},
};
use crate::LeaveReason;

/// The phase of a cell, and where it goes from there.
pub(super) enum Phase<M: Model> {
    Recovering(Recovering<M>),
    Running(Running<M>),
    Passivating(Passivating<M>),
    Gone(LeaveReason),
}

impl<M: Model> Phase<M> {
    pub(super) fn life(&self) -> Life {
        match self {
            Self::Gone(reason) => Life::Gone(*reason),
            _ => Life::Stays,
        }
    }

    /// Where a recovery goes after a read.
    pub(super) fn after_read(recovery: StillRecovering<M>) -> Self {
        match recovery {
            StillRecovering::Yes(phase) => Self::Recovering(phase),
            StillRecovering::Recovered(aggregate) => Self::Running(Running::new(aggregate)),
            StillRecovering::Failed => Self::Gone(LeaveReason::NotRecovered),
        }
    }

    /// Where a running entity goes after an input; commands that `wait` bring it back.
    pub(super) fn after_running(
        running: Running<M>,
        next: Next,
        mut wait: Waiting<M::Entity>,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> Self {
        let Running { aggregate, pipeline } = running;
        match next {
            Next::Runs => Self::Running(Running { aggregate, pipeline }),
            Next::Leaves(reason) => {
                let passivating = Passivating::new(aggregate, reason, pipeline, wait);
                Self::after_passivating(passivating.go_on(name, turn), name, turn)
            }
            Next::Fails(failure) => {
                // the state goes, and the next command recovers from the journal
                let mut retries = pipeline.fail(&failure, turn);
                retries.append(&mut wait);
                Self::leave(LeaveReason::AppendFailed, retries, name, turn)
            }
        }
    }

    /// Where a passivating entity goes after an input.
    pub(super) fn after_passivating(
        passivating: StillPassivating<M>,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> Self {
        match passivating {
            StillPassivating::Yes(phase) => Self::Passivating(phase),
            StillPassivating::Left { reason, waiting } => Self::leave(reason, waiting, name, turn),
        }
    }

    /// Leaves memory, or comes back for the commands that wait.
    fn leave(
        reason: LeaveReason,
        waiting: Waiting<M::Entity>,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> Self {
        if waiting.is_empty() {
            return Self::Gone(reason);
        }
        match Recovering::begin(waiting, name, turn) {
            Ok(recovering) => Self::Recovering(recovering),
            Err((failure, waiting)) => {
                waiting.fail(&failure, &mut turn.out.settled);
                Self::Gone(LeaveReason::NotRecovered)
            }
        }
    }
}
