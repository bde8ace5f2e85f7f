//! What was recorded of commands, and how their retries are answered with it.

use super::{CellName, Job, Model, Pipeline, Read, Retry, Turn, guard, panicked::panicked};
use crate::{Failure, failure::full_text};
use actum_model::DecodeError;
use actum_persistence::{serializer::RecordedReply, store::StoreError};
use bytes::Bytes;

/// What a read of a record brings: nothing, if it is not kept any more.
pub type FoundRecord = Result<Option<Bytes>, StoreError>;

enum Judgement {
    /// It is a retry, and has its answer.
    Same,
    /// The ids differ, though their hashes do not.
    Other,
}

impl<M: Model> Pipeline<M> {
    /// Answers a retry with what was recorded; gives it back if that is of a command with another id.
    pub(super) fn answer_retry(
        &self,
        mut retry: Retry<M::Entity>,
        found: FoundRecord,
        turn: &mut Turn<'_, M>,
    ) -> Option<Retry<M::Entity>> {
        let first = retry.first;
        match judge(&mut retry, found, turn) {
            Ok(Judgement::Same) => {
                let receipt = self.receipt(first, turn.lane);
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

    /// Asks for the records that retries wait for, as far as they are durable.
    pub(super) fn read_records(&mut self, name: &CellName<M>, turn: &mut Turn<'_, M>) {
        for first in self.due_records() {
            let read: Read = M::record_read(&name.key, first);
            turn.out.reads.push((read, name.ticket));
        }
    }
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
