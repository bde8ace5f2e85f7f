//! How cells leave memory.

use super::{HostedModel, KindHost, TurnContext, handler_run::RunStep, kind_host::turn};
use crate::{
    LeaveReason,
    cell::{Cell, GivenUp, Life, Turn},
};
use actum_model::Entity;
use actum_persistence::panics::{guard, log_safely};

/// How many cells at work are skipped in search of one that may leave.
const SKIPPED_MAX: usize = 16;

impl<M: HostedModel> KindHost<M> {
    /// Lets the cell in this place leave, which may encode its state.
    pub(super) fn let_leave(
        &mut self,
        slot: u32,
        ctx: &TurnContext<'_>,
        leave: impl FnOnce(&mut Cell<M>, &mut Turn<'_, M>) -> Life,
    ) {
        let Some(cell) = &mut self.cells.slot(slot).cell else { return };
        let run = &self.intake.inbox().run;
        run.begins(RunStep::Leaving, ctx.shell.now());
        let life = leave(cell, &mut turn(&self.context, &mut self.out, ctx));
        run.ends();
        self.after_input(slot, life, ctx);
    }

    /// Lets the least recently used cell leave that is not at work; says whether it found one.
    pub(super) fn leave_oldest(&mut self, ctx: &TurnContext<'_>) -> bool {
        for _ in 0..SKIPPED_MAX {
            let Some((slot, _)) = self.cells.oldest() else { return false };
            if !self.cells.slot(slot).cell.as_ref().is_some_and(Cell::is_idle) {
                self.cells.used(slot, ctx.now); // at work, and so in use
                continue;
            }
            self.let_leave(slot, ctx, |cell, turn| cell.passivate(LeaveReason::Cap, turn));
            return true;
        }
        false
    }

    /// Fails everything that waits in cells, and lets them leave.
    pub(super) fn abandon_all(&mut self, why: &GivenUp, ctx: &TurnContext<'_>) {
        for slot in self.cells.occupied() {
            if let Some(cell) = &mut self.cells.slot(slot).cell {
                cell.abandon(why, &mut turn(&self.context, &mut self.out, ctx));
            }
            self.has_left(slot, LeaveReason::Abandoned, ctx);
        }
    }

    /// The cell in this place has left.
    pub(super) fn has_left(&mut self, slot: u32, reason: LeaveReason, ctx: &TurnContext<'_>) {
        if let (Some(observer), Some(cell)) = (ctx.observer, &self.cells.slot(slot).cell) {
            observer.left(cell.key(), reason);
        }
        self.remove(slot);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.load.entity_left();
        let cell = self.cells.remove(slot);
        if let Err(panic) = guard(|| drop(cell)) {
            let kind = <M::Entity as Entity>::KIND;
            log_safely(|| tracing::error!(kind, panic, "dropping an entity panicked"));
        }
    }
}
