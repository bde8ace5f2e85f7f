//! What nodes send each other about commands, from values to `actum.wire.v1` and back.

mod answer;
mod command_error;
mod payload;
mod sent_command;

pub(crate) use answer::{answer_of_wire, answer_to_wire};
pub(crate) use command_error::{error_of_wire, error_to_wire, not_owner};
pub(crate) use payload::{payload_of_wire, payload_to_wire};
pub(crate) use sent_command::{ReceivedCommand, ReceivedRequest, SentCommand};
