//! The node that owns the entities: bytes in, bytes out.

use super::{of_wire, to_wire};
use crate::{account::Account, fragile::Fragile, note::Note};
use actum_model::{
    CommandSet, CommandVisitor, Entity, EntityId, Handle, Lists, Metadata, Payload, Revision,
};
use actum_persistence::{error_chain::full_text, serializer::Serializer};
use actum_proto::{
    storage::v1::EventMetadata,
    wire::v1::{
        self, CommandEnvelope, CommandError, ErrorCode, ReplyEnvelope, reply_envelope::Outcome,
    },
};
use actum_runtime::{AskError, EntityRef, Receipt, Runtime};
use prost::Message;
use std::{pin::Pin, time::Duration};

/// What comes of a command; nothing when no one waits for it.
type Answer = Pin<Box<dyn Future<Output = Option<(Outcome, Option<Receipt>)>> + Send>>;

/// Serves one envelope.
pub(super) async fn serve(engine: &Runtime, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut envelope = CommandEnvelope::decode(bytes).expect("callers send envelopes");
    let call_nr = envelope.call_nr;
    let answer = match &*std::mem::take(&mut envelope.kind) {
        Account::KIND => hand_over::<Account>(engine, envelope),
        Note::KIND => hand_over::<Note>(engine, envelope),
        Fragile::KIND => hand_over::<Fragile>(engine, envelope),
        kind => refused(format!("no entity of kind `{kind}` runs here")),
    };
    let (outcome, receipt) = answer.await?;
    let receipt = receipt.map(|receipt| v1::Receipt {
        sequence_nr: receipt.sequence_nr.get(),
        lane: u32::try_from(receipt.lane.index()).unwrap(),
        position: receipt.position.map_or(0, actum_model::Position::get),
    });
    Some(ReplyEnvelope { call_nr, receipt, outcome: Some(outcome) }.encode_to_vec())
}

fn hand_over<E: Entity>(engine: &Runtime, envelope: CommandEnvelope) -> Answer {
    let Ok(id) = E::Id::from_text(&envelope.id) else { return refused("the id is none".into()) };
    let Some(command) = envelope.command.map(of_wire) else {
        return refused("the envelope has no command".into());
    };
    let handing = HandingOver::<E> {
        to: engine.entity(id),
        metadata: metadata(envelope.metadata),
        deadline: envelope.deadline_ms.map(Duration::from_millis),
        expected: envelope.expected_sequence_nr.map(Revision::new),
    };
    <E::Commands as CommandSet<E>>::decode(&command, handing)
        .unwrap_or_else(|error| refused(full_text(&error)))
}

fn metadata(sent: Option<EventMetadata>) -> Metadata {
    let bytes = sent.unwrap_or_default().encode_to_vec().into();
    Serializer::default().decode_metadata(&bytes).expect("callers send valid metadata").0
}

/// Asks an entity with whatever command comes.
struct HandingOver<E: Entity> {
    to: EntityRef<E>,
    metadata: Metadata,
    deadline: Option<Duration>,
    expected: Option<Revision>,
}

impl<E: Entity> CommandVisitor<E> for HandingOver<E> {
    type Output = Answer;

    fn visit<C, I>(self, command: C) -> Answer
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        let mut ask = self.to.ask(command).metadata(self.metadata);
        if let Some(expected) = self.expected {
            ask = ask.expect_revision(expected);
        }
        let Some(deadline) = self.deadline else {
            ask.tell().expect("nothing is full");
            return Box::pin(async { None });
        };
        let asking = ask.timeout(deadline).with_receipt().into_future();
        Box::pin(async {
            Some(match asking.await {
                Ok((reply, receipt)) => {
                    encoded(&reply, Outcome::Reply, true, |outcome| (outcome, Some(receipt)))
                }
                Err(AskError::Rejected(rejection)) => {
                    encoded(&rejection, Outcome::Rejection, false, |outcome| (outcome, None))
                }
                Err(error) => (Outcome::Error(error_to_wire(&error)), None),
            })
        })
    }
}

/// A reply or a rejection; what cannot be encoded is an error that says whether the command was applied.
fn encoded<T: Payload>(
    value: &T,
    outcome: fn(actum_proto::storage::v1::Payload) -> Outcome,
    maybe_applied: bool,
    whole: impl FnOnce(Outcome) -> (Outcome, Option<Receipt>),
) -> (Outcome, Option<Receipt>) {
    match Serializer::default().encode(value) {
        Ok(stored) => whole(outcome(to_wire(stored))),
        Err(error) => {
            let message = full_text(&error);
            let error = CommandError { message, maybe_applied, ..of_code(ErrorCode::Invalid) };
            (Outcome::Error(error), None)
        }
    }
}

fn refused(message: String) -> Answer {
    let error = CommandError { message, ..of_code(ErrorCode::Invalid) };
    Box::pin(async { Some((Outcome::Error(error), None)) })
}

fn of_code(code: ErrorCode) -> CommandError {
    CommandError { code: code.into(), ..CommandError::default() }
}

pub(super) fn error_to_wire<X>(error: &AskError<X>) -> CommandError {
    let at = |code, expected: &Revision, actual: &Revision| CommandError {
        expected_sequence_nr: Some(expected.get()),
        actual_sequence_nr: Some(actual.get()),
        ..of_code(code)
    };
    let saying =
        |code, message: &str| CommandError { message: message.to_owned(), ..of_code(code) };
    let wire = match error {
        AskError::Overloaded { bound } => saying(ErrorCode::Overloaded, &bound.to_string()),
        AskError::Timeout { .. } => of_code(ErrorCode::Timeout),
        AskError::RevisionMismatch { expected, actual } => {
            at(ErrorCode::RevisionMismatch, expected, actual)
        }
        AskError::Conflict { expected, actual } => at(ErrorCode::Conflict, expected, actual),
        AskError::Unavailable { reason, .. } => saying(ErrorCode::Unavailable, reason),
        AskError::OutcomeUnknown { reason, .. } => saying(ErrorCode::OutcomeUnknown, reason),
        AskError::Corrupt { what } => saying(ErrorCode::Corrupt, what),
        AskError::Invalid { what } => saying(ErrorCode::Invalid, what),
        AskError::Panicked { message, .. } => saying(ErrorCode::Panicked, message),
        AskError::CommandIdReused { first_command, .. } => {
            saying(ErrorCode::CommandIdReused, first_command)
        }
        AskError::ReplyDeleted { sequence_nr, .. } => CommandError {
            actual_sequence_nr: Some(sequence_nr.get()),
            ..of_code(ErrorCode::ReplyDeleted)
        },
        _ => panic!("an error without a code"),
    };
    CommandError { maybe_applied: error.maybe_applied(), ..wire }
}
