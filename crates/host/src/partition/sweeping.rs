//! What is due in the cells of one kind: flush windows, deadlines, idle times.

use super::{HostedModel, KindHost, TurnContext, kind_host::turn};
use crate::{LeaveReason, Moment};

impl<M: HostedModel> KindHost<M> {
    /// When something is due next.
    pub(super) fn due(&self) -> Moment {
        let idle = match (self.context.settings.idle_timeout, self.cells.oldest()) {
            (Some(timeout), Some((_, used))) => used.after(timeout),
            _ => Moment::NEVER,
        };
        self.due_times.first().min(idle)
    }

    /// Lets cells send changes that have waited for their flush window.
    pub(super) fn flush_windows(&mut self, ctx: &TurnContext<'_>) {
        while let Some(ticket) = self.due_times.next_window(ctx.now) {
            if self.cells.holder(ticket).is_some() {
                self.flush(ticket.slot, ctx);
            }
        }
    }

    /// Answers commands whose deadline has passed.
    pub(super) fn expire(&mut self, ctx: &TurnContext<'_>) {
        let Some(mut awaited) = self.due_times.take_awaited(ctx.now) else { return };
        awaited.retain(|slot| {
            let place = self.cells.slot(*slot);
            let Some(cell) = &mut place.cell else {
                place.awaited = false;
                return false;
            };
            let next = cell.expire(&mut turn(&self.context, &mut self.out, ctx));
            self.due_times.add_deadline(next);
            place.awaited = next != Moment::NEVER;
            place.awaited
        });
        self.due_times.put_awaited(awaited);
    }

    /// Lets cells leave that were not used for the idle time.
    pub(super) fn leave_idle(&mut self, ctx: &TurnContext<'_>) {
        let Some(idle_timeout) = self.context.settings.idle_timeout else { return };
        let mut next = self.cells.oldest();
        while let Some((slot, _)) = next.filter(|(_, used)| used.after(idle_timeout) <= ctx.now) {
            next = self.cells.newer(slot);
            let place = self.cells.slot(slot);
            let Some(cell) = &place.cell else { continue };
            if !cell.is_idle() {
                self.cells.used(slot, ctx.now); // still at work: its time begins again
                continue;
            }
            self.let_leave(slot, ctx, |cell, turn| cell.passivate(LeaveReason::Idle, turn));
        }
    }
}
