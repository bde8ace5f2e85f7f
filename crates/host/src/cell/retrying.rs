//! What a running entity does with a command whose id it remembers.

use super::{
    Aggregate, Identity, Job, Model, Pipeline, Read, Retry, Turn, Waiting,
    entity_cell::Name,
    guard,
    running::{Next, Running},
    staging::panicked,
};
use crate::{Failure, failure::full_text};
use actum_model::{DecodeError, SequenceNr};
use actum_persistence::{serializer::RecordedReply, store::StoreError};
use bytes::Bytes;

/// What a read of a record brings: nothing, if it is not kept any more.
pub type FoundRecord = Result<Option<Bytes>, StoreError>;

/// What a command that carries an id is told apart by; `None` for one that carries none.
pub(super) fn identify<M: Model>(
    job: &dyn Job<M::Entity>,
    turn: &Turn<'_, M>,
) -> Result<Option<Identity>, Failure> {
    let Some(id) = job.envelope().metadata.command_id() else { return Ok(None) };
    let content =
        guard(|| job.content()).map_err(|message| panicked(job, message))?.map_err(|error| {
            let (command, why) = (job.command(), full_text(&error));
            Failure::invalid(format!(
                "`{command}` cannot be encoded, which a command with a command id needs: {why}"
            ))
        })?;
    Ok(Some(Identity { hash: (turn.kind.hash_id)(id), content }))
}

impl<M: Model> Running<M> {
    /// Lets a command whose id the entity seems to remember wait for the recorded reply; gives any other back.
    pub(super) fn await_reply(
        &mut self,
        name: &Name<M>,
        mut retry: Retry<M::Entity>,
        turn: &mut Turn<'_, M>,
    ) -> Option<Retry<M::Entity>> {
        loop {
            let first = self.aggregate.ids.find(retry.identity.hash, &retry.tried);
            let Some(first) = first else { return Some(retry) };
            retry.first = first;
            let Some(record) = kept_record(&self.aggregate, first) else {
                self.pipeline.retries.wait(retry);
                self.pipeline.read_records(name, turn);
                return None;
            };
            retry = answer(retry, Ok(Some(record)), &self.pipeline, turn)?;
        }
    }

    /// Whether commands wait for what was recorded the first time.
    pub(super) fn awaits_records(&self) -> bool {
        !self.pipeline.retries.is_empty()
    }

    /// Takes the record of the command whose last change is `first`: answers the retries of it, and handles commands that
    /// only seemed to be. Gives back those that must wait when the entity ends before.
    pub(super) fn recorded(
        &mut self,
        name: &Name<M>,
        first: SequenceNr,
        found: &FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> (Next, Waiting<M::Entity>) {
        let mut retries = self.pipeline.retries.take(first);
        while let Some(retry) = retries.pop_front() {
            let Some(other) = answer(retry, found.clone(), &self.pipeline, turn) else { continue };
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
        (Next::Runs, Waiting::<M::Entity>::new())
    }
}

/// A record that is still kept with the state, as schema version 1 did.
fn kept_record<M: Model>(aggregate: &Aggregate<M>, first: SequenceNr) -> Option<Bytes> {
    let kept = aggregate.unmoved.as_ref()?;
    kept.iter()
        .find(|command| SequenceNr::from(command.revision) == first)
        .map(|c| c.record.clone())
}

/// Answers a retry with what was recorded; gives it back if that is of a command with another id.
pub(super) fn answer<M: Model>(
    mut retry: Retry<M::Entity>,
    found: FoundRecord,
    pipeline: &Pipeline<M>,
    turn: &mut Turn<'_, M>,
) -> Option<Retry<M::Entity>> {
    let first = retry.first;
    match judge(&mut retry, found, turn) {
        Ok(Judgement::Same) => {
            let receipt = pipeline.receipt(first, turn.lane);
            turn.out.settle(retry.job, receipt);
            None
        }
        Ok(Judgement::Other) => {
            retry.tried.push(first);
            Some(retry)
        }
        Err(failure) => {
            turn.out.settle(retry.job, Err(failure));
            None
        }
    }
}

enum Judgement {
    /// It is a retry, and has its answer.
    Same,
    /// The ids differ, though their hashes do not.
    Other,
}

fn judge<M: Model>(
    retry: &mut Retry<M::Entity>,
    found: FoundRecord,
    turn: &Turn<'_, M>,
) -> Result<Judgement, Failure> {
    let job = &mut *retry.job;
    let Some(id) = job.envelope().metadata.command_id().cloned() else {
        return Ok(Judgement::Other);
    };
    let Some(record) = found.map_err(Failure::of_read)? else {
        return Err(Failure::ReplyDeleted { command_id: id, sequence_nr: retry.first });
    };
    let (metadata, reply) = turn.kind.serializer.decode_metadata(&record).map_err(|error| {
        Failure::corrupt(format!(
            "the record of command `{id}` cannot be read: {}",
            full_text(&error)
        ))
    })?;
    let Some(reply) = reply.filter(|_| metadata.command_id() == Some(&id)) else {
        return Ok(Judgement::Other);
    };
    let content = retry.identity.content;
    if !reply.is_of(job.command(), content.schema_version, content.fingerprint) {
        let (command, first_command) = (job.command(), reply.command_manifest.into_owned());
        return Err(Failure::CommandIdReused { command_id: id, command, first_command });
    }
    replay(job, &reply, turn).map(|()| Judgement::Same)
}

/// Prepares the reply of the first time as the answer.
fn replay<M: Model>(
    job: &mut dyn Job<M::Entity>,
    first: &RecordedReply,
    turn: &Turn<'_, M>,
) -> Result<(), Failure> {
    let unreadable = |error: DecodeError| {
        Failure::corrupt(format!("the recorded reply cannot be read: {}", full_text(&error)))
    };
    guard(|| job.replay(&turn.kind.serializer, &first.payload))
        .map_err(|message| panicked(job, message))?
        .map_err(unreadable)
}

impl<M: Model> Pipeline<M> {
    /// Asks for the records that retries wait for, as far as they are durable.
    pub(super) fn read_records(&mut self, name: &Name<M>, turn: &mut Turn<'_, M>) {
        if self.retries.is_empty() {
            return;
        }
        for first in self.retries.due(self.durable()) {
            let read: Read = M::record_read(&name.key, first);
            turn.out.reads.push((read, name.ticket));
        }
    }
}
