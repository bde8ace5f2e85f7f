//! Every error keeps on the wire what a caller can do about it.
//!
//! No code of the product maps errors yet: what maps them here shows that the schema suffices.

use super::{
    caller::{BOUNDS, error_of_wire},
    owner::error_to_wire,
};
use actum_model::{CommandId, Revision, SequenceNr};
use actum_proto::{
    storage::v1::EventMetadata,
    wire::v1::{CommandError, ErrorCode},
};
use actum_runtime::{AskError, Failure};
use prost::Message;
use std::{collections::BTreeSet, convert::Infallible};

fn id() -> CommandId {
    CommandId::new("request-7").unwrap()
}

fn errors() -> Vec<Failure> {
    let (expected, actual) = (Revision::new(3), Revision::new(5));
    let mut errors = vec![
        AskError::Timeout { maybe_applied: true },
        AskError::Timeout { maybe_applied: false },
        AskError::RevisionMismatch { expected, actual },
        AskError::Conflict { expected, actual },
        AskError::unavailable("the store failed"),
        AskError::outcome_unknown("the store did not confirm the write"),
        AskError::corrupt("account/a: event 3 is none"),
        AskError::invalid("a command id must not be empty"),
        AskError::CommandIdReused {
            command_id: id(),
            command: "deposit",
            first_command: "withdraw".into(),
        },
        AskError::ReplyDeleted { command_id: id(), sequence_nr: SequenceNr::new(4) },
        AskError::Panicked { command: "deposit", message: "attempt to divide by zero".into() },
    ];
    errors.extend(BOUNDS.map(|bound| AskError::Overloaded { bound }));
    errors
}

#[test]
fn every_error_comes_back_as_it_was() {
    let mut codes = BTreeSet::new();
    let sent = EventMetadata { command_id: id().as_str().to_owned(), ..EventMetadata::default() };
    for error in errors() {
        let bytes = error_to_wire(&error).encode_to_vec();
        let wire = CommandError::decode(&bytes[..]).unwrap();
        codes.insert(wire.code());
        let back: Failure = error_of_wire(wire, "deposit", Some(&sent));
        assert_eq!(format!("{back:?}"), format!("{error:?}"));
        assert_eq!(back.maybe_applied(), error.maybe_applied());
        assert_eq!(back.is_transient(), error.is_transient());
    }
    let known = (1..).map_while(|code| ErrorCode::try_from(code).ok());
    let unused: Vec<ErrorCode> = known.filter(|code| !codes.contains(code)).collect();
    assert_eq!(unused, [], "codes that no error of this list has");
}

#[test]
fn a_code_of_a_later_version_counts_as_unknown_outcome() {
    let wire = CommandError { code: 4_711, maybe_applied: true, ..CommandError::default() };
    let wire = CommandError::decode(&wire.encode_to_vec()[..]).unwrap();
    let error: AskError<Infallible> = error_of_wire(wire, "deposit", None);
    assert!(matches!(error, AskError::OutcomeUnknown { .. }), "{error:?}");
    assert!(error.maybe_applied());
}
