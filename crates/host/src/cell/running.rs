//! Running: handles commands against the pending state, and answers them when what they saw is durable.
//!
//! Before: [`recovering`](super::recovering). After: [`passivating`](super::passivating); gone when an append failed.

use super::{
    AfterCommit, Aggregate, CellName, Changes, Decision, GivenUp, Identity, Job, Memory, Model,
    Part, Pipeline, Retry, StageError, Turn, guard, panicked::panicked, staging::conclude, trouble,
};
use crate::{Bound, Failure, LeaveReason, Moment};
use actum_model::Change;
use actum_persistence::{
    group_commit::{CommitError, Committed},
    serializer::Uptime,
};

pub(super) struct Running<M: Model> {
    pub(super) aggregate: Aggregate<M::Entity>,
    pub(super) pipeline: Pipeline<M>,
}

/// Where a running entity goes after an input.
#[must_use]
pub(super) enum Next {
    Runs,
    /// It leaves memory once everything under way is answered.
    Leaves(LeaveReason),
    /// An append has failed, and the state may be ahead of the journal.
    Fails(Failure),
}

impl<M: Model> Running<M> {
    pub(super) fn new(aggregate: Aggregate<M::Entity>) -> Self {
        let pipeline = Pipeline::new(aggregate.sequence_nr, aggregate.position);
        Self { aggregate, pipeline }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.pipeline.is_empty()
    }

    pub(super) fn command(
        &mut self,
        name: &CellName<M>,
        mut job: Box<dyn Job<M::Entity>>,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        if !job.begin() {
            turn.out.settle(job, Err(Failure::Timeout { maybe_applied: false }));
            return Next::Runs;
        }
        let Some(job) = self.admit(job, turn) else { return Next::Runs };
        match Identity::of(&*job, turn.kind) {
            Ok(None) => self.handle(name, job, None, turn),
            Ok(Some(identity)) => match self.await_reply(name, Retry::new(job, identity), turn) {
                Some(new) => self.handle(name, new.job, Some(identity), turn),
                None => Next::Runs,
            },
            Err(failure) => self.refuse(job, failure, turn),
        }
    }

    pub(super) fn committed(
        &mut self,
        name: &CellName<M>,
        result: Result<Committed, CommitError>,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        match result {
            Ok(committed) => {
                trouble::appended(turn);
                self.pipeline.committed(committed.last, turn);
                self.aggregate.unmoved = None; // every write carries them
                self.pipeline.read_records(name, turn);
                Next::Runs
            }
            Err(error) => {
                let failure = Failure::of_commit(error, self.pipeline.durable().into());
                trouble::append_failed(name, &failure, turn);
                Next::Fails(failure)
            }
        }
    }

    pub(super) fn flush(&mut self, name: &CellName<M>, turn: &mut Turn<'_, M>) -> Moment {
        if !self.pipeline.may_send() {
            self.pipeline.rest(turn);
            return Moment::NEVER;
        }
        if let Some(batching) = &turn.kind.settings.batching {
            let (count, since) = self.pipeline.staged_count();
            let window_ends = since.after(batching.flush_window);
            if count < u64::from(batching.threshold) && turn.now < window_ends {
                return window_ends;
            }
        }
        self.pipeline.send(name, &mut self.aggregate, turn);
        Moment::NEVER
    }

    pub(super) fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        self.pipeline.expire(turn)
    }

    pub(super) fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        self.pipeline.abandon(why, turn);
    }

    fn admit(
        &mut self,
        job: Box<dyn Job<M::Entity>>,
        turn: &mut Turn<'_, M>,
    ) -> Option<Box<dyn Job<M::Entity>>> {
        let full = self.pipeline.waiting() >= turn.kind.settings.commands_max;
        let bound = if full {
            Some(Bound::EntityCommands)
        } else {
            let full = self.pipeline.has_gathered_enough() || !turn.has_room();
            full.then_some(Bound::JournalBytes)
        };
        let Some(bound) = bound else { return Some(job) };
        turn.out.settle(job, Err(Failure::Overloaded { bound }));
        None
    }

    pub(super) fn handle(
        &mut self,
        name: &CellName<M>,
        mut job: Box<dyn Job<M::Entity>>,
        identity: Option<Identity>,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        let at = self.aggregate.sequence_nr;
        if let Some(expected) = job.envelope().expected_revision
            && expected != at.into()
        {
            let mismatch = Failure::RevisionMismatch { expected, actual: at.into() };
            return self.refuse(job, mismatch, turn);
        }
        if turn.observer.is_some() {
            turn.out.handled.push(job.command());
        }
        match guard(|| job.handle(&self.aggregate.state, &name.id, &turn.kind.env, at)) {
            Err(message) => {
                let failure = panicked(&*job, message);
                self.refuse(job, failure, turn)
            }
            Ok(Decision::Rejected) => {
                self.pipeline.answer(job, at, Part::Saw, None, turn);
                Next::Runs
            }
            Ok(Decision::Accepted { change, after_commit, passivate }) => {
                match self.take_in(name, change, identity, &mut *job, turn) {
                    Ok(changes) => self.accepted(name, job, changes, after_commit, passivate, turn),
                    Err(StageError::Refused(failure)) => self.refuse(job, failure, turn),
                    Err(StageError::Poisoned(failure)) => self.poisoned(name, job, failure, turn),
                }
            }
        }
    }

    /// Takes a change into the state and stages it.
    fn take_in(
        &mut self,
        name: &CellName<M>,
        change: Change<M::Entity>,
        identity: Option<Identity>,
        job: &mut dyn Job<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) -> Result<Changes, StageError> {
        let changes = match change {
            Change::Nothing => Changes::default(),
            change => M::stage(
                &name.id,
                &mut self.aggregate,
                self.pipeline.staging(turn),
                change,
                identity.as_ref(),
                job,
                turn,
            )?,
        };
        if changes.count == 0 {
            conclude(job, &self.aggregate.state).map_err(StageError::Refused)?;
        } else if let Some(identity) = identity {
            self.remember(identity, turn);
        }
        Ok(changes)
    }

    /// Remembers the id of the command that was just staged.
    fn remember(&mut self, identity: Identity, turn: &Turn<'_, M>) {
        let kind = turn.kind;
        let (window, durable) = (&kind.settings.command_window, self.pipeline.durable());
        let memory = Memory { window, budget: &kind.ids, durable, reads_back: false };
        let moment = Uptime { incarnation: kind.incarnation.get(), seconds: turn.uptime };
        let Self { aggregate, .. } = self;
        aggregate.ids.remember(identity.hash, aggregate.sequence_nr, Some(moment), &memory);
        kind.ids.warn(turn.uptime);
    }

    fn accepted(
        &mut self,
        name: &CellName<M>,
        job: Box<dyn Job<M::Entity>>,
        changes: Changes,
        after_commit: Option<AfterCommit>,
        passivate: bool,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        self.pipeline.staged(changes, turn);
        let needs = self.aggregate.sequence_nr;
        let part = if changes.count > 0 { Part::Wrote } else { Part::Saw };
        self.pipeline.answer(job, needs, part, after_commit, turn);
        if changes.count > 0 {
            self.snapshot_if_due(name, turn);
        }
        if passivate { Next::Leaves(LeaveReason::Asked) } else { Next::Runs }
    }

    /// Answers with a failure that may tell what is pending: it waits like any other answer.
    fn refuse(
        &mut self,
        mut job: Box<dyn Job<M::Entity>>,
        failure: Failure,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        job.refuse(failure);
        self.pipeline.answer(job, self.aggregate.sequence_nr, Part::Saw, None, turn);
        Next::Runs
    }

    /// The user's code panicked in the middle of a change: what was staged before it is sound and goes on, the state is
    /// not and goes.
    fn poisoned(
        &mut self,
        name: &CellName<M>,
        mut job: Box<dyn Job<M::Entity>>,
        failure: Failure,
        turn: &mut Turn<'_, M>,
    ) -> Next {
        trouble::state_dropped(name, &failure);
        job.refuse(failure);
        self.pipeline.answer(job, self.pipeline.pending(), Part::Saw, None, turn);
        Next::Leaves(LeaveReason::Unsound)
    }

    fn snapshot_if_due(&mut self, name: &CellName<M>, turn: &mut Turn<'_, M>) {
        let Some(policy) = &turn.kind.settings.snapshots else { return };
        let since = self.aggregate.sequence_nr.get() - self.aggregate.snapshot_nr.get();
        if since < policy.every {
            return;
        }
        self.aggregate.snapshot_nr = self.aggregate.sequence_nr;
        if let Some(snapshot) = M::snapshot(&name.key, &self.aggregate, turn) {
            self.pipeline.keep_snapshot(snapshot, turn);
        }
    }
}
