//! Passivating: sends and answers what is under way, while new commands wait; then leaves memory.
//!
//! Before: [`running`](super::running). After: gone, or [`recovering`](super::recovering) when commands came meanwhile.

use super::{
    Aggregate, GivenUp, Job, LeaveReason, Model, Moment, Pipeline, Turn, Waiting,
    entity_cell::{Life, Name, Phase},
    recovering::{Recovering, abandon_waiting, expire_waiting, fail_waiting, stash},
    retrying::{FoundRecord, answer},
    running::append_failure,
    trouble,
};
use actum_model::SequenceNr;
use actum_persistence::group_commit::{CommitError, Committed};

pub(super) struct Passivating<M: Model>(Box<Inner<M>>);

struct Inner<M: Model> {
    aggregate: Aggregate<M>,
    reason: LeaveReason,
    pipeline: Pipeline<M>,
    waiting: Waiting<M::Entity>,
}

impl<M: Model> Passivating<M> {
    pub(super) fn begin(
        name: &Name<M>,
        aggregate: Aggregate<M>,
        reason: LeaveReason,
        pipeline: Pipeline<M>,
        waiting: Waiting<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) -> Phase<M> {
        let inner = Inner { aggregate, reason, pipeline, waiting };
        Self(Box::new(inner)).go_on(name, turn)
    }

    pub(super) fn command(&mut self, job: Box<dyn Job<M::Entity>>, turn: &mut Turn<'_, M>) -> Life {
        let Inner { pipeline, waiting, .. } = &mut *self.0;
        stash(waiting, pipeline.waiting(), job, turn);
        Life::Stays
    }

    pub(super) fn committed(
        mut self,
        name: &Name<M>,
        result: Result<Committed, CommitError>,
        turn: &mut Turn<'_, M>,
    ) -> Phase<M> {
        match result {
            Ok(committed) => {
                trouble::appended(turn);
                self.0.pipeline.committed(committed.last, turn);
                self.0.aggregate.unmoved = None; // every write carries them
                self.0.pipeline.read_records(name, turn);
                self.go_on(name, turn)
            }
            Err(error) => {
                let failure = append_failure(error, self.0.pipeline.durable());
                trouble::append_failed(name, &failure, turn);
                let Inner { pipeline, mut waiting, .. } = *self.0;
                let mut retries = pipeline.fail(&failure, turn);
                retries.append(&mut waiting);
                leave(name, LeaveReason::AppendFailed, retries, turn)
            }
        }
    }

    /// Takes a record: answers the retries of its command. One that is no retry of it brings the entity back.
    pub(super) fn recorded(
        mut self,
        name: &Name<M>,
        first: SequenceNr,
        found: &FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> Phase<M> {
        let Inner { pipeline, waiting, .. } = &mut *self.0;
        for retry in pipeline.retries.take(first) {
            if let Some(other) = answer(retry, found.clone(), pipeline, turn) {
                stash(waiting, pipeline.waiting(), other.job, turn);
            }
        }
        self.go_on(name, turn)
    }

    pub(super) fn expire(&mut self, turn: &mut Turn<'_, M>) -> Moment {
        let held = self.0.pipeline.expire(turn);
        held.min(expire_waiting(&mut self.0.waiting, turn))
    }

    pub(super) fn abandon(self, why: &GivenUp, turn: &mut Turn<'_, M>) {
        let Inner { pipeline, waiting, .. } = *self.0;
        pipeline.abandon(why, turn);
        abandon_waiting(waiting, why, turn);
    }

    /// Sends what is staged without waiting for more, or leaves when nothing is under way any more.
    fn go_on(mut self, name: &Name<M>, turn: &mut Turn<'_, M>) -> Phase<M> {
        let inner = &mut *self.0;
        if inner.pipeline.may_send() {
            super::running::send(name, &mut inner.aggregate, &mut inner.pipeline, turn);
        }
        if !inner.pipeline.is_empty() {
            return Phase::Passivating(self);
        }
        let Inner { aggregate, reason, waiting, .. } = *self.0;
        if reason != LeaveReason::Unsound {
            last_snapshot(name, &aggregate, turn);
        }
        tracing::debug!(entity = %name.key, "entity passivated");
        leave(name, reason, waiting, turn)
    }
}

fn last_snapshot<M: Model>(name: &Name<M>, aggregate: &Aggregate<M>, turn: &mut Turn<'_, M>) {
    let wanted =
        turn.kind.settings.snapshots.as_ref().is_some_and(|policy| policy.snapshot_on_passivation);
    if wanted && aggregate.snapshot_nr < aggregate.sequence_nr {
        let snapshot = M::snapshot(&name.key, aggregate, turn);
        turn.out.snapshots.extend(snapshot);
    }
}

/// Leaves memory, or comes back for the commands that wait.
pub(super) fn leave<M: Model>(
    name: &Name<M>,
    reason: LeaveReason,
    waiting: Waiting<M::Entity>,
    turn: &mut Turn<'_, M>,
) -> Phase<M> {
    if waiting.is_empty() {
        return Phase::Gone(reason);
    }
    match Recovering::begin_with(waiting, name, turn) {
        Ok(recovering) => Phase::Recovering(recovering),
        Err((failure, waiting)) => {
            fail_waiting(waiting, &failure, turn);
            Phase::Gone(LeaveReason::NotRecovered)
        }
    }
}
