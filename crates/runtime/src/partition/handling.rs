use super::{Beat, Delivery, Hosted, KindHost, handler_run::Step, kind_host::turn};
use crate::{
    Failure,
    cell::{Cell, Moment},
};
use actum_model::{Entity, EntityKey};
use actum_persistence::panics::{guard, log_safely};
use std::fmt;

/// Why commands are not handled whose partition was not waited for any longer. Their callers know already.
const GIVEN_UP: &str = "the engine has ended";

/// What runs the user's code: commands one after the other, and what follows their commits.
impl<M: Hosted> KindHost<M> {
    fn deliver(&mut self, delivery: Delivery<M::Entity>, beat: &Beat<'_>) {
        let Delivery { key, job } = delivery;
        self.next_deadline = self.next_deadline.min(job.envelope().deadline);
        let slot = match self.cells.find(&key) {
            Some(slot) => slot,
            None => match self.activate(key, beat) {
                Ok(slot) => slot,
                Err(failure) => return self.out.settle(job, Err(failure)),
            },
        };
        self.cells.used(slot, beat.now);
        let place = self.cells.slot(slot);
        if !std::mem::replace(&mut place.awaited, true) {
            self.awaited.push(slot);
        }
        let cell = place.cell.as_mut().expect("the index names places that hold a cell");
        let life = cell.command(job, &mut turn(&self.context, &mut self.out, beat));
        self.after_input(slot, life);
    }

    fn activate(&mut self, key: EntityKey, beat: &Beat<'_>) -> Result<u32, Failure> {
        let ticket = self.cells.reserve(self.nr, self.door.next_generation());
        let mut turn = turn(&self.context, &mut self.out, beat);
        // what the user's code does is guarded inside; this is for an id that panics when it is dropped
        let cell = guard(|| Cell::activate(key, ticket, &mut turn));
        let lost = |message| Err(Failure::Panicked { command: "activate", message });
        match cell.unwrap_or_else(lost) {
            Ok(cell) => {
                self.cells.insert(ticket, cell, beat.now);
                self.load.entity_came();
                Ok(ticket.slot)
            }
            Err(failure) => {
                self.cells.give_back(ticket);
                Err(failure)
            }
        }
    }

    /// Looks at the clock when handling `commands` is over, which began `since`; warns when that took too long and nobody
    /// has while it ran.
    pub(super) fn note_end<T: fmt::Display>(
        &self,
        since: Moment,
        beat: &mut Beat<'_>,
        commands: impl FnOnce() -> T,
    ) {
        beat.now = beat.clock.now();
        let ran_for = beat.now.since(since);
        if ran_for <= self.context.slow_handler_after {
            return;
        }
        let (kind, command) = (<M::Entity as Entity>::KIND, commands());
        if self.inbox.run.is_new(since) {
            self.load.slow_handler();
            log_safely(|| {
                tracing::warn!(kind, %command, ?ran_for, "slow handler, its whole partition waits");
            });
        } else {
            log_safely(|| tracing::info!(kind, %command, ?ran_for, "slow handler has returned"));
        }
    }

    /// Refuses all that was taken.
    pub(super) fn refuse(&mut self, taken: &mut Vec<Delivery<M::Entity>>, failure: &Failure) {
        for Delivery { job, .. } in taken.drain(..) {
            self.out.settle(job, Err(failure.clone()));
        }
    }

    /// Handles what was taken, one command after the other.
    pub(super) fn handle(&mut self, taken: &mut Vec<Delivery<M::Entity>>, beat: &mut Beat<'_>) {
        beat.now = beat.clock.now(); // what came before may have taken long
        for (at, delivery) in taken.drain(..).enumerate() {
            if self.inbox.run.is_given_up() {
                let failure = Failure::unavailable(GIVEN_UP);
                self.out.settle(delivery.job, Err(failure));
                continue;
            }
            let (command, since) = (delivery.job.command(), beat.now);
            self.inbox.run.begins(Step::Command(at), since);
            self.deliver(delivery, beat);
            self.note_end(since, beat, || command);
        }
        self.inbox.run.ends();
    }

    /// Runs what was to follow commits.
    pub(super) fn run_actions(&mut self, beat: &Beat<'_>) {
        if self.out.actions.is_empty() {
            return;
        }
        self.inbox.run.begins(Step::AfterCommit, beat.clock.now());
        for action in self.out.actions.drain(..) {
            if let Err(panic) = guard(action) {
                let kind = <M::Entity as Entity>::KIND;
                log_safely(|| tracing::error!(kind, panic, "after_commit panicked"));
            }
        }
        self.inbox.run.ends();
    }
}
