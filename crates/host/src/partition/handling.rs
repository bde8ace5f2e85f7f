use super::{Delivery, HostedModel, KindHost, TurnContext, handler_run::RunStep, kind_host::turn};
use crate::{
    Failure, LeaveReason, Moment,
    cell::{Cell, GivenUp, JobHeader, Life, Ticket, Turn},
};
use actum_model::{Entity, EntityKey};
use actum_persistence::panics::{guard, log_safely};

/// Why commands are not handled whose partition was not waited for any longer. Their callers know already.
const GIVEN_UP: GivenUp = GivenUp::because("the engine has ended");

/// What runs the user's code: commands one after the other, and what follows their commits.
impl<M: HostedModel> KindHost<M> {
    fn deliver(&mut self, delivery: Delivery<M::Entity>, ctx: &TurnContext<'_>) {
        let Delivery { key, job } = delivery;
        self.due_times.add_deadline(job.envelope().deadline);
        let slot = match self.cells.find(&key) {
            Some(slot) => slot,
            None => match self.activate(key, ctx) {
                Ok(slot) => slot,
                Err(failure) => return self.out.settle(job, Err(failure)),
            },
        };
        self.cells.used(slot, ctx.now);
        let place = self.cells.slot(slot);
        if !std::mem::replace(&mut place.awaited, true) {
            self.due_times.add_awaited(slot);
        }
        let cell = place.cell.as_mut().expect("the index names places that hold a cell");
        let life = cell.command(job, &mut turn(&self.context, &mut self.out, ctx));
        self.after_input(slot, life, ctx);
    }

    fn activate(&mut self, key: EntityKey, ctx: &TurnContext<'_>) -> Result<u32, Failure> {
        let ticket = self.cells.reserve(self.nr, ctx.shell.next_generation());
        let mut turn = turn(&self.context, &mut self.out, ctx);
        // what the user's code does is guarded inside; this is for an id that panics when it is dropped
        let cell = guard(|| Cell::activate(key, ticket, &mut turn));
        let lost = |message| Err(Failure::Panicked { command: "activate", message });
        match cell.unwrap_or_else(lost) {
            Ok(cell) => {
                ctx.observe(|observer| observer.activated(cell.key()));
                self.cells.insert(ticket, cell, ctx.now);
                self.load.entity_came();
                Ok(ticket.slot)
            }
            Err(failure) => {
                self.cells.give_back(ticket);
                Err(failure)
            }
        }
    }

    /// Reads the clock when `command` has run, which began `since`; warns when that took too long and no warning was given
    /// while it ran.
    fn note_end(&mut self, since: Moment, ctx: &mut TurnContext<'_>, command: &'static str) {
        ctx.now = ctx.shell.now();
        let ran_for = ctx.now.since(since);
        if let Some(observer) = ctx.observer {
            for command in self.out.handled.drain(..) {
                observer.handled(<M::Entity as Entity>::KIND, command, ran_for);
            }
        }
        if ran_for <= self.context.slow_handler_after {
            return;
        }
        let kind = <M::Entity as Entity>::KIND;
        if self.intake.inbox().run.is_new(since) {
            self.load.slow_handler();
            log_safely(|| {
                tracing::warn!(kind, command, ?ran_for, "slow handler, its whole partition waits");
            });
        } else {
            log_safely(|| tracing::info!(kind, command, ?ran_for, "slow handler has returned"));
        }
    }

    /// Refuses all that was taken.
    pub(super) fn refuse(&mut self, taken: &mut Vec<Delivery<M::Entity>>, failure: &Failure) {
        for Delivery { job, .. } in taken.drain(..) {
            self.out.settle(job, Err(failure.clone()));
        }
    }

    /// Handles what was taken, one command after the other.
    pub(super) fn handle(
        &mut self,
        taken: &mut Vec<Delivery<M::Entity>>,
        ctx: &mut TurnContext<'_>,
    ) {
        for (at, delivery) in taken.drain(..).enumerate() {
            self.run_command(RunStep::Command(at), delivery, ctx);
        }
        self.intake.inbox().run.ends();
    }

    /// Handles one command; the run goes on.
    fn run_command(
        &mut self,
        step: RunStep,
        delivery: Delivery<M::Entity>,
        ctx: &mut TurnContext<'_>,
    ) {
        if self.intake.inbox().run.is_given_up() {
            return self.out.settle(delivery.job, Err(GIVEN_UP.failure(false)));
        }
        let (command, since) = (delivery.job.command(), ctx.now);
        self.intake.inbox().run.begins(step, since);
        self.deliver(delivery, ctx);
        self.note_end(since, ctx, command);
    }

    /// Lets a cell take what a read brought, then handles the commands that waited for it.
    pub(super) fn take_read(
        &mut self,
        ticket: Ticket,
        step: RunStep,
        ctx: &TurnContext<'_>,
        input: impl FnOnce(&mut Cell<M>, &mut Turn<'_, M>) -> Life,
    ) {
        let mut ctx = TurnContext { now: ctx.shell.now(), ..*ctx };
        if self.intake.inbox().run.is_given_up() {
            let Some(cell) = self.cells.holder(ticket) else { return };
            cell.abandon(&GIVEN_UP, &mut turn(&self.context, &mut self.out, &ctx));
            return self.has_left(ticket.slot, LeaveReason::Abandoned, &ctx);
        }
        let since = ctx.now;
        self.intake.inbox().run.begins(step, since);
        self.with_cell(ticket, &ctx, input);
        self.note_end(since, &mut ctx, step.name().unwrap_or_default());
        self.resume(ticket, &mut ctx);
        self.intake.inbox().run.ends();
    }

    /// Handles the commands that waited for their entity to recover, one after the other.
    fn resume(&mut self, ticket: Ticket, ctx: &mut TurnContext<'_>) {
        if self.out.resumed.is_empty() {
            return;
        }
        let resumed = std::mem::take(&mut self.out.resumed);
        let cell = self.cells.holder(ticket).expect("a cell that has just recovered is in memory");
        let key = cell.key().clone();
        self.intake.inbox().note_resumed(resumed.iter().map(JobHeader::command));
        for (at, job) in resumed.into_iter().enumerate() {
            // by its key: one of them may make the entity leave, and the next one brings it back
            self.run_command(RunStep::Resumed(at), Delivery { key: key.clone(), job }, ctx);
        }
    }

    /// Runs what was to follow commits.
    pub(super) fn run_actions(&mut self, ctx: &TurnContext<'_>) {
        if self.out.actions.is_empty() {
            return;
        }
        self.intake.inbox().run.begins(RunStep::AfterCommit, ctx.shell.now());
        for action in self.out.actions.drain(..) {
            if let Err(panic) = guard(|| action.run()) {
                let kind = <M::Entity as Entity>::KIND;
                log_safely(|| tracing::error!(kind, panic, "after_commit panicked"));
            }
        }
        self.intake.inbox().run.ends();
    }
}
