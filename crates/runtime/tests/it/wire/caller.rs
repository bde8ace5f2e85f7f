//! The node a caller is on.

use super::{of_wire, owner::serve, to_wire};
use actum_model::{CommandId, Handle, Lists, Metadata, Payload, Revision, StoredPayload};
use actum_persistence::serializer::Serializer;
use actum_proto::{
    storage::v1::EventMetadata,
    wire::v1::{CommandEnvelope, CommandError, ErrorCode, ReplyEnvelope, reply_envelope::Outcome},
};
use actum_runtime::{AskError, Bound, Runtime};
use prost::Message;

/// An envelope for an entity, which waits a minute for its answer.
pub(super) fn envelope<E, C: Payload, I>(id: &str, command: &C) -> CommandEnvelope
where
    E: Handle<C>,
    E::Commands: Lists<C, I>,
{
    CommandEnvelope {
        call_nr: 7,
        kind: E::KIND.to_owned(),
        id: id.to_owned(),
        command: Some(to_wire(StoredPayload::encode(command).unwrap())),
        metadata: None,
        deadline_ms: Some(60_000),
        expected_sequence_nr: None,
    }
}

pub(super) fn with_metadata(envelope: CommandEnvelope, metadata: &Metadata) -> CommandEnvelope {
    let bytes = Serializer::default().encode_metadata(metadata, None).unwrap();
    CommandEnvelope { metadata: Some(EventMetadata::decode(bytes).unwrap()), ..envelope }
}

/// Sends an envelope as bytes and reads the answer as what the command `C` is answered with, beside the sequence number
/// it reflects.
pub(super) async fn ask<E: Handle<C>, C: Payload>(
    engine: &Runtime,
    envelope: CommandEnvelope,
) -> Result<(E::Reply, u64), AskError<E::Rejection>> {
    let bytes = serve(engine, &envelope.encode_to_vec()).await.expect("someone waits");
    let reply = ReplyEnvelope::decode(&bytes[..]).unwrap();
    assert_eq!(reply.call_nr, envelope.call_nr);
    match reply.outcome.expect("a reply has an outcome") {
        Outcome::Reply(payload) => {
            let receipt = reply.receipt.expect("a receipt comes with a reply");
            Ok((of_wire(payload).decode().unwrap(), receipt.sequence_nr))
        }
        Outcome::Rejection(payload) => Err(AskError::Rejected(of_wire(payload).decode().unwrap())),
        Outcome::Error(error) => Err(error_of_wire(error, C::MANIFEST, envelope.metadata.as_ref())),
    }
}

/// What the owner's error is to a caller, who knows which command it sent, and with which metadata.
pub(super) fn error_of_wire<X>(
    error: CommandError,
    command: &'static str,
    sent: Option<&EventMetadata>,
) -> AskError<X> {
    let command_id =
        || CommandId::new(&sent.expect("only an id is used again").command_id).unwrap();
    let code = error.code();
    let CommandError { message, maybe_applied, .. } = error;
    let expected = Revision::new(error.expected_sequence_nr.unwrap_or_default());
    let actual = Revision::new(error.actual_sequence_nr.unwrap_or_default());
    match code {
        ErrorCode::Overloaded => AskError::Overloaded { bound: bound(&message) },
        ErrorCode::Timeout => AskError::Timeout { maybe_applied },
        ErrorCode::Conflict => AskError::Conflict { expected, actual },
        ErrorCode::RevisionMismatch => AskError::RevisionMismatch { expected, actual },
        ErrorCode::Unavailable => AskError::unavailable(message),
        ErrorCode::Corrupt => AskError::corrupt(message),
        ErrorCode::Invalid => AskError::invalid(message),
        ErrorCode::Panicked => AskError::Panicked { command, message },
        ErrorCode::CommandIdReused => {
            AskError::CommandIdReused { command_id: command_id(), command, first_command: message }
        }
        ErrorCode::ReplyDeleted => {
            AskError::ReplyDeleted { command_id: command_id(), sequence_nr: actual.into() }
        }
        // what this node does not know may have happened
        _ => AskError::outcome_unknown(message),
    }
}

pub(super) const BOUNDS: [Bound; 4] =
    [Bound::EntityCommands, Bound::PartitionCommands, Bound::EngineCommands, Bound::JournalBytes];

fn bound(message: &str) -> Bound {
    *BOUNDS.iter().find(|bound| bound.to_string() == message).expect("a bound that is known")
}
