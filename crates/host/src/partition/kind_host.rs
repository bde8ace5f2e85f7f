use super::{
    Found, HostedKind, HostedModel, Inbox, TurnContext, cells::Cells, due_times::DueTimes,
    handler_run::RunStep, hosted_kind::Finished, intake::Intake,
};
use crate::{
    Load, Moment,
    cell::{Cell, GivenUp, KindContext, Life, Outputs, Ticket, Turn},
};
use actum_persistence::{
    group_commit::{CommitError, Committed},
    store::StoreError,
};
use std::sync::Arc;

/// The cells of one kind in one partition.
pub struct KindHost<M: HostedModel> {
    pub(super) nr: u16,
    pub(super) context: Arc<KindContext<M::Entity>>,
    pub(super) load: Arc<Load>,
    pub(super) intake: Intake<M::Entity>,
    pub(super) cells: Cells<M>,
    pub(super) due_times: DueTimes,
    pub(super) out: Outputs<M>,
    /// Cells that took an input in this turn.
    pub(super) touched: Vec<u32>,
    /// How many bytes that wait in the cells are counted in the load.
    pub(super) staged_bytes: usize,
    /// How often the journal had lost something when the cells were last compared with it.
    regressions: u64,
}

impl<M: HostedModel> KindHost<M> {
    pub fn new(
        nr: u16,
        context: Arc<KindContext<M::Entity>>,
        inbox: Arc<Inbox<M::Entity>>,
        load: Arc<Load>,
    ) -> Self {
        Self {
            nr,
            context,
            intake: Intake::new(inbox, load.clone()),
            load,
            cells: Cells::new(),
            due_times: DueTimes::none(),
            out: Outputs::default(),
            touched: Vec::new(),
            staged_bytes: 0,
            regressions: 0,
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
            Life::Gone(reason) => self.has_left(slot, reason, ctx),
        }
    }

    /// Lets all cells recover again if the journal has lost something since the last call: what they hold may be gone.
    fn check_journal(&mut self, ctx: &TurnContext<'_>) {
        let regressions = ctx.shell.regressions();
        if std::mem::replace(&mut self.regressions, regressions) == regressions {
            return;
        }
        for slot in self.cells.occupied() {
            self.let_leave(slot, ctx, Cell::doubt);
        }
    }

    fn touch(&mut self, slot: u32) {
        let place = self.cells.slot(slot);
        if !std::mem::replace(&mut place.touched, true) {
            self.touched.push(slot);
        }
    }
}

impl<M: HostedModel> HostedKind for KindHost<M> {
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
            return self.take_read(ticket, RunStep::Record, ctx, |cell, turn| {
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
        self.take_read(ticket, RunStep::Recovery, ctx, |cell, turn| cell.found(found, turn));
    }

    fn commands(&mut self, ctx: &mut TurnContext<'_>) -> usize {
        let mut taken = self.intake.take();
        let count = taken.len();
        let mut refusal = None;
        if count > 0 {
            ctx.now = ctx.shell.now();
            // read after taking: a command that has come by now is served from a state that no one else had changed then
            refusal = ctx.shell.refusal(ctx.now);
        }
        // behind both: what is handled has come before the last loss that was found, or finds no cell that is older than it
        self.check_journal(ctx);
        match refusal {
            Some(failure) => self.refuse(&mut taken, &failure),
            None if count > 0 => self.handle(&mut taken, ctx),
            None => {}
        }
        self.intake.reuse(taken);
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
        self.intake.tidy();
        Finished { due: self.due(), woke }
    }

    fn oldest_use(&self) -> Moment {
        self.cells.oldest().map_or(Moment::NEVER, |(_, used)| used)
    }

    fn leave_oldest(&mut self, ctx: &TurnContext<'_>) -> bool {
        self.leave_oldest(ctx)
    }

    fn drain(&mut self, ctx: &TurnContext<'_>) {
        for slot in self.cells.occupied() {
            self.let_leave(slot, ctx, Cell::drain);
        }
    }

    fn abandon(&mut self, why: &GivenUp, ctx: &TurnContext<'_>) {
        self.abandon_all(why, ctx);
    }

    fn live(&self) -> usize {
        self.cells.len()
    }

    fn unanswered(&self) -> usize {
        self.intake.unanswered()
    }
}

pub(super) fn turn<'a, M: HostedModel>(
    kind: &'a KindContext<M::Entity>,
    out: &'a mut Outputs<M>,
    ctx: &TurnContext<'a>,
) -> Turn<'a, M> {
    let TurnContext { now, wall, partition, lane, room, observer, .. } = *ctx;
    let uptime = now.as_seconds();
    Turn { now, wall, uptime, partition, lane, room, observer, kind, out }
}

impl<M: HostedModel> Drop for KindHost<M> {
    /// A partition that fails takes its cells with it: they are no longer counted, nor is what is staged in them. What the
    /// turn that failed had staged was not counted yet.
    fn drop(&mut self) {
        self.load.staged(0, self.staged_bytes);
        for slot in self.cells.occupied() {
            self.remove(slot); // one by one: if two of them panicked at once, the process would end
        }
    }
}
