use super::{
    Delivery, Found, Hosted, HostedKind, Inbox, TurnContext,
    cells::Cells,
    handler_run::Step,
    hosted::Finished,
    taken::{Ended, WAITS_SLACK},
};
use crate::{
    KindContext, Load, Outcome,
    cell::{Cell, LeaveReason, Life, Moment, Outputs, Ticket, Turn},
};
use actum_model::Entity;
use actum_persistence::{
    group_commit::{CommitError, Committed},
    panics::{guard, log_safely},
    store::StoreError,
};
use std::{collections::BTreeSet, sync::Arc};

/// How many cells at work are passed over in search of one that may leave.
const CAP_LOOKS_MAX: usize = 16;

/// The cells of one kind in one partition.
pub struct KindHost<M: Hosted> {
    pub(super) nr: u16,
    pub(super) context: Arc<KindContext<M::Entity>>,
    pub(super) inbox: Arc<Inbox<M::Entity>>,
    pub(super) load: Arc<Load>,
    pub(super) cells: Cells<M>,
    pub(super) out: Outputs<M>,
    /// Taken from the inbox; its room is used again.
    taken: Vec<Delivery<M::Entity>>,
    /// Cells that took an input in this turn.
    touched: Vec<u32>,
    /// Waits that have ended, on their way out of the inbox; empty otherwise.
    ended: Ended,
    /// Cells with commands that may be waited for: checked when a deadline is due.
    pub(super) awaited: Vec<u32>,
    /// Cells whose staged changes wait for the flush window, and when that ends.
    windows: BTreeSet<(Moment, Ticket)>,
    pub(super) next_deadline: Moment,
    unanswered: usize,
    /// How many waits the inbox notes as taken.
    noted: usize,
    /// How many bytes that wait in the cells are counted in the load.
    staged_bytes: usize,
}

impl<M: Hosted> KindHost<M> {
    pub fn new(
        nr: u16,
        context: Arc<KindContext<M::Entity>>,
        inbox: Arc<Inbox<M::Entity>>,
        load: Arc<Load>,
    ) -> Self {
        inbox.forget_taken();
        Self {
            nr,
            context,
            inbox,
            load,
            cells: Cells::new(),
            out: Outputs::default(),
            taken: Vec::new(),
            touched: Vec::new(),
            ended: Ended::new(),
            awaited: Vec::new(),
            windows: BTreeSet::new(),
            next_deadline: Moment::NEVER,
            unanswered: 0,
            noted: 0,
            staged_bytes: 0,
        }
    }

    /// Lets the cell a result is for take it; a cell that has left meanwhile needs none.
    pub(super) fn with_cell(
        &mut self,
        ticket: Ticket,
        ctx: &TurnContext<'_>,
        input: impl FnOnce(&mut Cell<M>, &mut Turn<'_, M>) -> Life,
    ) {
        let Some(cell) = self.cells.holder(ticket) else { return };
        let life = input(cell, &mut turn(&self.context, &mut self.out, ctx));
        self.after_input(ticket.slot, life, ctx);
    }

    pub(super) fn after_input(&mut self, slot: u32, life: Life, ctx: &TurnContext<'_>) {
        match life {
            Life::Stays => self.touch(slot),
            Life::Gone(reason) => self.leave(slot, reason, ctx),
        }
    }

    fn touch(&mut self, slot: u32) {
        let place = self.cells.slot(slot);
        if !std::mem::replace(&mut place.touched, true) {
            self.touched.push(slot);
        }
    }

    pub(super) fn leave(&mut self, slot: u32, reason: LeaveReason, ctx: &TurnContext<'_>) {
        if let (Some(observer), Some(cell)) = (ctx.observer, &self.cells.slot(slot).cell) {
            observer.left(cell.key(), reason);
        }
        self.remove(slot);
    }

    fn remove(&mut self, slot: u32) {
        self.load.entity_left();
        let cell = self.cells.remove(slot);
        if let Err(panic) = guard(|| drop(cell)) {
            let kind = <M::Entity as Entity>::KIND;
            log_safely(|| tracing::error!(kind, panic, "dropping an entity panicked"));
        }
    }

    /// Lets cells send what they staged in this turn, or notes when their flush window ends.
    fn flush_touched(&mut self, ctx: &TurnContext<'_>) {
        for at in 0..self.touched.len() {
            let slot = self.touched[at];
            self.cells.slot(slot).touched = false;
            self.flush(slot, ctx);
        }
        self.touched.clear();
    }

    fn flush(&mut self, slot: u32, ctx: &TurnContext<'_>) {
        let Some(cell) = &mut self.cells.slot(slot).cell else { return };
        let again = cell.flush(&mut turn(&self.context, &mut self.out, ctx));
        if again != Moment::NEVER {
            self.windows.insert((again, cell.ticket()));
        }
    }

    fn flush_windows(&mut self, ctx: &TurnContext<'_>) {
        while self.windows.first().is_some_and(|(due, _)| *due <= ctx.now)
            && let Some((_, ticket)) = self.windows.pop_first()
        {
            if self.cells.holder(ticket).is_some() {
                self.flush(ticket.slot, ctx);
            }
        }
    }

    fn expire(&mut self, ctx: &TurnContext<'_>) {
        if ctx.now < self.next_deadline {
            return;
        }
        self.next_deadline = Moment::NEVER;
        let mut awaited = std::mem::take(&mut self.awaited);
        awaited.retain(|slot| {
            let place = self.cells.slot(*slot);
            let Some(cell) = &mut place.cell else {
                place.awaited = false;
                return false;
            };
            let next = cell.expire(&mut turn(&self.context, &mut self.out, ctx));
            self.next_deadline = self.next_deadline.min(next);
            place.awaited = next != Moment::NEVER;
            place.awaited
        });
        self.awaited = awaited;
    }

    /// Lets cells leave that were not used for the idle time.
    fn leave_idle(&mut self, ctx: &TurnContext<'_>) {
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

    /// Lets the cell in this place leave, which may encode its state.
    fn let_leave(
        &mut self,
        slot: u32,
        ctx: &TurnContext<'_>,
        leave: impl FnOnce(&mut Cell<M>, &mut Turn<'_, M>) -> Life,
    ) {
        let Some(cell) = &mut self.cells.slot(slot).cell else { return };
        self.inbox.run.begins(Step::Leaving, ctx.shell.now());
        let life = leave(cell, &mut turn(&self.context, &mut self.out, ctx));
        self.inbox.run.ends();
        self.after_input(slot, life, ctx);
    }

    /// Carries the outputs out: writes first, since all wait for those. Says whether it woke tasks by that.
    fn ship(&mut self, ctx: &TurnContext<'_>) -> bool {
        debug_assert!(
            self.out.resumed.is_empty(),
            "commands that are resumed are delivered at once"
        );
        let Outputs { writes, reads, snapshots, actions, settled, .. } = &self.out;
        let wakes = !(writes.is_empty()
            && reads.is_empty()
            && snapshots.is_empty()
            && actions.is_empty()
            && settled.is_empty());
        if !self.out.writes.is_empty() {
            M::submit(ctx.shell, ctx.lane, &mut self.out.writes);
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
        let settled = self.out.settled.len();
        for (job, verdict) in self.out.settled.drain(..) {
            ctx.observe(|observer| {
                let outcome = match &verdict {
                    Ok(_) => job.outcome(),
                    Err(failure) => Outcome::Failed(failure.label()),
                };
                observer.answered(<M::Entity as Entity>::KIND, job.command(), outcome);
            });
            job.settle(verdict);
        }
        self.unanswered -= settled;
        self.inbox.run.set_unanswered(self.unanswered);
        self.load.answered(settled);
        wakes
    }

    fn count_staged(&mut self) {
        let staged = std::mem::take(&mut self.out.bytes_staged);
        let unstaged = std::mem::take(&mut self.out.bytes_unstaged);
        self.staged_bytes = self.staged_bytes + staged - unstaged;
        self.load.staged(staged, unstaged);
    }

    fn due(&self) -> Moment {
        let window = self.windows.first().map_or(Moment::NEVER, |(due, _)| *due);
        let idle = match (self.context.settings.idle_timeout, self.cells.oldest()) {
            (Some(timeout), Some((_, used))) => used.after(timeout),
            _ => Moment::NEVER,
        };
        window.min(idle).min(self.next_deadline)
    }
}

impl<M: Hosted> HostedKind for KindHost<M> {
    fn committed(
        &mut self,
        ticket: Ticket,
        result: Result<Committed, CommitError>,
        ctx: &TurnContext<'_>,
    ) {
        self.with_cell(ticket, ctx, |cell, turn| {
            ctx.observe(|observer| observer.write_settled(cell.key(), &result));
            cell.committed(result, turn)
        });
    }

    fn found(&mut self, ticket: Ticket, found: Result<Found, StoreError>, ctx: &TurnContext<'_>) {
        let Some(cell) = self.cells.holder(ticket) else { return };
        if let Ok(Found::Record { sequence_nr, found }) = found {
            if let Err(error) = &found {
                ctx.observe(|observer| observer.read_failed(cell.key(), error));
            }
            return self.take_read(ticket, Step::Record, ctx, |cell, turn| {
                cell.recorded(sequence_nr, &found, turn)
            });
        }
        let found = found.and_then(|found| {
            M::found(found).ok_or_else(|| {
                StoreError::corrupt("a read was answered with a record of another model")
            })
        });
        if let Err(error) = &found {
            ctx.observe(|observer| observer.read_failed(cell.key(), error));
        }
        if let Some(read) = found.as_ref().ok().and_then(|found| cell.read_ahead(found)) {
            ctx.shell.read(ctx.partition, &mut vec![(read, ticket)]);
        }
        self.take_read(ticket, Step::Recovery, ctx, |cell, turn| cell.found(found, turn));
    }

    fn commands(&mut self, ctx: &mut TurnContext<'_>) -> usize {
        let mut taken = std::mem::take(&mut self.taken);
        self.noted = self.inbox.take(&mut taken, self.unanswered, &mut self.ended);
        self.ended.clear(); // outside of the lock
        let count = taken.len();
        if !taken.is_empty() {
            self.unanswered += taken.len(); // all at once: those after one that fails the partition are dropped with it
            self.inbox.run.set_unanswered(self.unanswered);
            ctx.now = ctx.shell.now();
            // read after taking: a command that has come by now is served from a state that no one else had changed then
            match ctx.shell.refusal(ctx.now) {
                Some(failure) => self.refuse(&mut taken, &failure),
                None => self.handle(&mut taken, ctx),
            }
        }
        self.taken = taken;
        count
    }

    fn sweep(&mut self, ctx: &TurnContext<'_>) {
        self.flush_windows(ctx);
        self.expire(ctx);
        self.leave_idle(ctx);
    }

    fn finish(&mut self, ctx: &TurnContext<'_>) -> Finished {
        self.flush_touched(ctx);
        let woke = self.ship(ctx);
        if self.noted > 2 * self.unanswered + WAITS_SLACK {
            self.noted = self.inbox.tidy(self.unanswered, &mut self.ended);
            self.ended.clear(); // outside of the lock
        }
        Finished { due: self.due(), woke }
    }

    fn oldest_use(&self) -> Moment {
        self.cells.oldest().map_or(Moment::NEVER, |(_, used)| used)
    }

    fn passivate_oldest(&mut self, ctx: &TurnContext<'_>) -> bool {
        for _ in 0..CAP_LOOKS_MAX {
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

    fn drain(&mut self, ctx: &TurnContext<'_>) {
        for slot in self.cells.occupied() {
            self.let_leave(slot, ctx, Cell::drain);
        }
    }

    fn abandon(&mut self, reason: &'static str, ctx: &TurnContext<'_>) {
        for slot in self.cells.occupied() {
            if let Some(cell) = &mut self.cells.slot(slot).cell {
                cell.abandon(reason, &mut turn(&self.context, &mut self.out, ctx));
            }
            self.leave(slot, LeaveReason::Abandoned, ctx);
        }
    }

    fn live(&self) -> usize {
        self.cells.len()
    }

    fn unanswered(&self) -> usize {
        self.unanswered
    }
}

pub(super) fn turn<'a, M: Hosted>(
    kind: &'a KindContext<M::Entity>,
    out: &'a mut Outputs<M>,
    ctx: &TurnContext<'a>,
) -> Turn<'a, M> {
    let TurnContext { now, wall, partition, lane, room, observer, .. } = *ctx;
    let uptime = now.as_seconds();
    Turn { now, wall, uptime, partition, lane, room, observer, kind, out }
}

impl<M: Hosted> Drop for KindHost<M> {
    /// A partition that fails takes its cells with it: they are no longer counted, nor is what is staged in them, nor are
    /// commands nobody will answer. What the turn that failed had staged was not counted yet.
    fn drop(&mut self) {
        self.inbox.forget_taken();
        self.load.answered(self.unanswered);
        self.load.staged(0, self.staged_bytes);
        for slot in self.cells.occupied() {
            self.remove(slot); // one by one: if two of them panicked at once, the process would end
        }
    }
}
