//! What both models do with a command whose change is in the state already.

use super::{Content, Identity, Job, Model, Turn, guard, panicked::panicked};
use crate::{Failure, failure::full_text};
use actum_model::Entity;
use actum_persistence::serializer::RecordedReply;
use std::borrow::Cow;

/// Lets the job compute its reply from the state after the change.
pub(super) fn conclude<E: Entity>(job: &mut dyn Job<E>, state: &E) -> Result<(), Failure> {
    guard(|| job.conclude(state)).map_err(|message| panicked(job, message))
}

/// What is recorded of a command that carries an id.
pub(super) fn record<M: Model>(
    job: &dyn Job<M::Entity>,
    identity: &Identity,
    turn: &Turn<'_, M>,
) -> Result<RecordedReply, Failure> {
    let payload = guard(|| job.recorded_reply(&turn.kind.serializer))
        .map_err(|message| panicked(job, message))?
        .map_err(|error| {
            Failure::invalid(format!("the reply cannot be recorded: {}", full_text(&error)))
        })?;
    let (bytes, max) = (payload.bytes.len(), turn.kind.serializer.limits().reply_bytes_max);
    if bytes > max {
        return Err(Failure::invalid(format!(
            "the reply cannot be recorded: it has {bytes} bytes, at most {max} are allowed with a command id"
        )));
    }
    let Content { schema_version, fingerprint } = identity.content;
    Ok(RecordedReply {
        command_manifest: Cow::Borrowed(job.command()),
        command_schema_version: schema_version,
        command_fingerprint: Some(fingerprint),
        uptime_seconds: Some(turn.uptime),
        payload,
    })
}
