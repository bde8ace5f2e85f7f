//! What the cells of one kind send out at the end of a turn.

use super::{HostedModel, KindHost, TurnContext, kind_host::turn};
use crate::{Moment, Outcome, cell::Outputs};
use actum_model::Entity;

impl<M: HostedModel> KindHost<M> {
    /// Lets cells send what they staged in this turn, or notes when their flush window ends.
    pub(super) fn flush_touched(&mut self, ctx: &TurnContext<'_>) {
        for at in 0..self.touched.len() {
            let slot = self.touched[at];
            self.cells.slot(slot).touched = false;
            self.flush(slot, ctx);
        }
        self.touched.clear();
    }

    pub(super) fn flush(&mut self, slot: u32, ctx: &TurnContext<'_>) {
        let Some(cell) = &mut self.cells.slot(slot).cell else { return };
        let again = cell.flush(&mut turn(&self.context, &mut self.out, ctx));
        if again != Moment::NEVER {
            self.due_times.add_window(again, cell.ticket());
        }
    }

    /// Carries the outputs out: writes first, since all wait for those. Says whether it woke tasks by that.
    pub(super) fn ship(&mut self, ctx: &TurnContext<'_>) -> bool {
        debug_assert!(
            self.out.resumed.is_empty(),
            "commands that are resumed are delivered at once"
        );
        let Outputs { reads, snapshots, actions, settled, .. } = &self.out;
        let mut woke =
            !(reads.is_empty() && snapshots.is_empty() && actions.is_empty() && settled.is_empty());
        if !self.out.writes.is_empty() {
            woke |= M::submit(ctx.shell, ctx.lane, &mut self.out.writes);
        }
        if !self.out.reads.is_empty() {
            ctx.shell.read(ctx.partition, &mut self.out.reads);
        }
        if !self.out.snapshots.is_empty() {
            ctx.observe(|observer| {
                let taken = self.out.snapshots.iter();
                taken.for_each(|taken| observer.snapshot_taken(&taken.snapshot));
            });
            ctx.shell.save(&mut self.out.snapshots);
        }
        self.count_staged();
        self.run_actions(ctx);
        self.answer(ctx);
        woke
    }

    fn count_staged(&mut self) {
        let staged = std::mem::take(&mut self.out.bytes_staged);
        let unstaged = std::mem::take(&mut self.out.bytes_unstaged);
        self.staged_bytes = self.staged_bytes + staged - unstaged;
        self.load.staged(staged, unstaged);
    }

    fn answer(&mut self, ctx: &TurnContext<'_>) {
        let settled = self.out.settled.len();
        for (job, verdict) in self.out.settled.drain() {
            ctx.observe(|observer| {
                let outcome = match &verdict {
                    Ok(_) => job.outcome(),
                    Err(failure) => Outcome::Failed(failure.label()),
                };
                observer.answered(<M::Entity as Entity>::KIND, job.command(), outcome);
            });
            job.settle(verdict);
        }
        self.intake.answered(settled);
    }
}
