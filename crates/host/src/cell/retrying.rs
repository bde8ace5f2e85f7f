//! What a running entity does with a command whose id it remembers.

use super::{
    Aggregate, CellName, FoundRecord, Model, Retry, Turn, Waiting,
    running::{Next, Running},
};
use crate::Failure;
use actum_model::{Entity, SequenceNr};
use bytes::Bytes;

impl<M: Model> Running<M> {
    /// Lets a command whose id the entity seems to remember wait for the recorded reply; gives any other back.
    pub(super) fn await_reply(
        &mut self,
        name: &CellName<M>,
        mut retry: Retry<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) -> Option<Retry<M::Entity>> {
        loop {
            let first = self.aggregate.ids.find(retry.identity.hash, &retry.tried);
            let Some(first) = first else { return Some(retry) };
            retry.first = first;
            let Some(record) = kept_record(&self.aggregate, first) else {
                self.pipeline.wait(retry, turn);
                self.pipeline.read_records(name, turn);
                return None;
            };
            retry = self.pipeline.answer_retry(retry, Ok(Some(record)), turn)?;
        }
    }

    /// Whether commands wait for what was recorded the first time.
    pub(super) fn awaits_records(&self) -> bool {
        self.pipeline.awaits_records()
    }

    /// Takes the record of the command whose last change is `first`: answers the retries of it, and handles commands that
    /// only seemed to be. Gives back those that must wait when the entity ends before.
    pub(super) fn recorded(
        &mut self,
        name: &CellName<M>,
        first: SequenceNr,
        found: &FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> (Next, Waiting<M::Entity>) {
        let mut retries = self.pipeline.take_retries(first);
        while let Some(retry) = retries.pop_front() {
            let other = self.pipeline.answer_retry(retry, found.clone(), turn);
            let Some(other) = other else { continue };
            let Some(mut new) = self.await_reply(name, other, turn) else { continue };
            if new.job.envelope().deadline <= turn.now || !new.job.begin() {
                turn.out.settle(new.job, Err(Failure::Timeout { maybe_applied: false }));
                continue;
            }
            let next = self.handle(name, new.job, Some(new.identity), turn);
            if !matches!(next, Next::Runs) {
                return (next, retries.into_iter().map(|retry| retry.job).collect());
            }
        }
        (Next::Runs, Waiting::none())
    }
}

/// A record that is still kept with the state, as schema version 1 did.
fn kept_record<E: Entity>(aggregate: &Aggregate<E>, first: SequenceNr) -> Option<Bytes> {
    let kept = aggregate.unmoved.as_ref()?;
    kept.0
        .iter()
        .find(|command| SequenceNr::from(command.revision) == first)
        .map(|c| c.record.clone())
}
