use super::{error_of_wire, error_to_wire, payload_of_wire, payload_to_wire};
use actum_model::{CommandId, Lane, Position, Receipt, SequenceNr};
use actum_proto::wire::v1::{self, ReplyEnvelope, reply_envelope::Outcome};
use actum_runtime::{AskError, EncodedAnswer};

/// The answer to the command of this number.
pub(crate) fn answer_to_wire(call_nr: u64, answer: EncodedAnswer) -> ReplyEnvelope {
    let (outcome, receipt) = match answer {
        Ok((reply, receipt)) => {
            (Outcome::Reply(payload_to_wire(reply)), Some(receipt_to_wire(receipt)))
        }
        Err(AskError::Rejected(rejection)) => {
            (Outcome::Rejection(payload_to_wire(rejection)), None)
        }
        Err(error) => (Outcome::Error(error_to_wire(&error)), None),
    };
    ReplyEnvelope { call_nr, receipt, outcome: Some(outcome) }
}

/// What a reply means to the caller of `command`. A reply that makes no sense leaves the outcome unknown: the command was
/// sent.
pub(crate) fn answer_of_wire(
    reply: ReplyEnvelope,
    command: &'static str,
    command_id: Option<&CommandId>,
) -> EncodedAnswer {
    match reply.outcome {
        Some(Outcome::Reply(payload)) => match reply.receipt.and_then(receipt_of_wire) {
            Some(receipt) => Ok((payload_of_wire(payload), receipt)),
            None => Err(AskError::outcome_unknown("the reply has no receipt")),
        },
        Some(Outcome::Rejection(payload)) => Err(AskError::Rejected(payload_of_wire(payload))),
        Some(Outcome::Error(error)) => Err(error_of_wire(error, command, command_id)),
        None => Err(AskError::outcome_unknown("the reply has no outcome this node knows")),
    }
}

fn receipt_to_wire(receipt: Receipt) -> v1::Receipt {
    v1::Receipt {
        sequence_nr: receipt.sequence_nr.get(),
        lane: u32::from(receipt.lane.nr()),
        position: receipt.position.map_or(0, Position::get),
    }
}

fn receipt_of_wire(receipt: v1::Receipt) -> Option<Receipt> {
    let lane = u16::try_from(receipt.lane).ok()?;
    let position = (receipt.position > 0).then(|| Position::new(receipt.position));
    Some(Receipt::new(SequenceNr::new(receipt.sequence_nr), Lane::new(lane), position))
}
