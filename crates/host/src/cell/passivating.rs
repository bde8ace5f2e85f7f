//! Passivating: sends and answers what is under way, while new commands wait; then leaves memory.
//!
//! Before: [`running`](super::running). After: gone, or [`recovering`](super::recovering) when commands came meanwhile.

use super::{
    Aggregate, CellName, FoundRecord, GivenUp, Job, Model, Pipeline, Turn, Waiting, trouble,
};
use crate::{Failure, LeaveReason, Moment};
use actum_model::SequenceNr;
use actum_persistence::group_commit::{CommitError, Committed};

pub(super) struct Passivating<M: Model>(Box<PassivatingParts<M>>);

/// Whether an entity goes on passivating after an input.
pub(super) enum StillPassivating<M: Model> {
    Yes(Passivating<M>),
    /// Nothing is under way any more; commands that wait bring it back.
    Left {
        reason: LeaveReason,
        waiting: Waiting<M::Entity>,
    },
}

struct PassivatingParts<M: Model> {
    aggregate: Aggregate<M::Entity>,
    reason: LeaveReason,
    pipeline: Pipeline<M>,
    waiting: Waiting<M::Entity>,
}

impl<M: Model> Passivating<M> {
    /// Begins; [`go_on`](Self::go_on) is to follow.
    pub(super) fn new(
        aggregate: Aggregate<M::Entity>,
        reason: LeaveReason,
        pipeline: Pipeline<M>,
        waiting: Waiting<M::Entity>,
    ) -> Self {
        Self(Box::new(PassivatingParts { aggregate, reason, pipeline, waiting }))
    }

    pub(super) fn command(&mut self, job: Box<dyn Job<M::Entity>>, turn: &mut Turn<'_, M>) {
        let PassivatingParts { pipeline, waiting, .. } = &mut *self.0;
        let max = turn.kind.settings.commands_max.saturating_sub(pipeline.waiting());
        waiting.stash(job, max, &mut turn.out.settled);
    }

    pub(super) fn committed(
        mut self,
        name: &CellName<M>,
        result: Result<Committed, CommitError>,
        turn: &mut Turn<'_, M>,
    ) -> StillPassivating<M> {
        match result {
            Ok(committed) => {
                trouble::appended(turn);
                self.0.pipeline.committed(committed.last, turn);
                self.0.aggregate.unmoved = None; // every write carries them
                self.0.pipeline.read_records(name, turn);
                self.go_on(name, turn)
            }
            Err(error) => {
                let failure = Failure::of_commit(error, self.0.pipeline.durable().into());
                trouble::append_failed(name, &failure, turn);
                let PassivatingParts { pipeline, mut waiting, .. } = *self.0;
                let mut retries = pipeline.fail(&failure, turn);
                retries.append(&mut waiting);
                StillPassivating::Left { reason: LeaveReason::AppendFailed, waiting: retries }
            }
        }
    }

    /// Takes a record: answers the retries of its command. One that is no retry of it brings the entity back.
    pub(super) fn recorded(
        mut self,
        name: &CellName<M>,
        first: SequenceNr,
        found: &FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> StillPassivating<M> {
        let PassivatingParts { pipeline, waiting, .. } = &mut *self.0;
        for retry in pipeline.take_retries(first) {
            if let Some(other) = pipeline.answer_retry(retry, found.clone(), turn) {
                let max = turn.kind.settings.commands_max.saturating_sub(pipeline.waiting());
                waiting.stash(other.job, max, &mut turn.out.settled);
            }
        }
        self.go_on(name, turn)
    }

    pub(super) fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        let held = self.0.pipeline.expire(turn);
        held.min(self.0.waiting.expire(turn.now, &mut turn.out.settled))
    }

    pub(super) fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        let PassivatingParts { pipeline, waiting, .. } = *self.0;
        pipeline.abandon(why, turn);
        waiting.abandon(why, &mut turn.out.settled);
    }

    /// The state may be made of lost events.
    pub(super) fn doubt(mut self) -> Self {
        self.0.reason = LeaveReason::JournalRegressed;
        self
    }

    /// Sends what is staged without waiting for more, or leaves when nothing is under way any more.
    pub(super) fn go_on(
        mut self,
        name: &CellName<M>,
        turn: &mut Turn<'_, M>,
    ) -> StillPassivating<M> {
        let inner = &mut *self.0;
        if inner.pipeline.may_send() {
            inner.pipeline.send(name, &mut inner.aggregate, turn);
        }
        if !inner.pipeline.is_empty() {
            return StillPassivating::Yes(self);
        }
        let PassivatingParts { aggregate, reason, waiting, .. } = *self.0;
        if !matches!(reason, LeaveReason::Unsound | LeaveReason::JournalRegressed) {
            last_snapshot(name, &aggregate, turn);
        }
        tracing::debug!(entity = %name.key, "entity passivated");
        StillPassivating::Left { reason, waiting }
    }
}

fn last_snapshot<M: Model>(
    name: &CellName<M>,
    aggregate: &Aggregate<M::Entity>,
    turn: &mut Turn<'_, M>,
) {
    let wanted =
        turn.kind.settings.snapshots.as_ref().is_some_and(|policy| policy.snapshot_on_passivation);
    if wanted && aggregate.snapshot_nr < aggregate.sequence_nr {
        let snapshot = M::snapshot(&name.key, aggregate, turn);
        turn.out.snapshots.extend(snapshot);
    }
}
