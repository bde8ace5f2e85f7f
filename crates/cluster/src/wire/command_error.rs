use actum_model::{CommandId, Revision};
use actum_persistence::members::TableVersion;
use actum_proto::wire::v1::{CommandError, ErrorCode};
use actum_runtime::{AskError, Bound};

/// All bounds: on the wire they are their texts.
const BOUNDS: [Bound; 5] = [
    Bound::EntityCommands,
    Bound::PartitionCommands,
    Bound::EngineCommands,
    Bound::JournalBytes,
    Bound::PeerBytes,
];

fn of_code(code: ErrorCode) -> CommandError {
    CommandError { code: code.into(), ..CommandError::default() }
}

/// This node does not own the entity's partition, as far as it knows from this version of the table.
pub(crate) fn not_owner(version: TableVersion) -> CommandError {
    CommandError { table_version: Some(version.get()), ..of_code(ErrorCode::NotOwner) }
}

/// What an error is on the wire. A rejection is none: it has an outcome of its own.
pub(crate) fn error_to_wire<X>(error: &AskError<X>) -> CommandError {
    let at = |code, expected: &Revision, actual: &Revision| CommandError {
        expected_sequence_nr: Some(expected.get()),
        actual_sequence_nr: Some(actual.get()),
        ..of_code(code)
    };
    let saying = |code, message: String| CommandError { message, ..of_code(code) };
    let with_source = |reason: &str, source: Option<String>| match source {
        Some(source) => format!("{reason}: {source}"),
        None => reason.to_owned(),
    };
    let wire = match error {
        AskError::Overloaded { bound } => saying(ErrorCode::Overloaded, bound.to_string()),
        AskError::Timeout { .. } => of_code(ErrorCode::Timeout),
        AskError::RevisionMismatch { expected, actual } => {
            at(ErrorCode::RevisionMismatch, expected, actual)
        }
        AskError::Conflict { expected, actual } => at(ErrorCode::Conflict, expected, actual),
        AskError::Unavailable { reason, source } => {
            let source = source.as_ref().map(|error| format!("{error:#}"));
            saying(ErrorCode::Unavailable, with_source(reason, source))
        }
        AskError::OutcomeUnknown { reason, source } => {
            let source = source.as_ref().map(|error| format!("{error:#}"));
            saying(ErrorCode::OutcomeUnknown, with_source(reason, source))
        }
        AskError::Corrupt { what } => saying(ErrorCode::Corrupt, what.clone()),
        AskError::Invalid { what } => saying(ErrorCode::Invalid, what.clone()),
        AskError::Panicked { message, .. } => saying(ErrorCode::Panicked, message.clone()),
        AskError::CommandIdReused { first_command, .. } => {
            saying(ErrorCode::CommandIdReused, first_command.clone())
        }
        AskError::ReplyDeleted { sequence_nr, .. } => CommandError {
            actual_sequence_nr: Some(sequence_nr.get()),
            ..of_code(ErrorCode::ReplyDeleted)
        },
        // an error of a later version that has no code yet
        _ => saying(ErrorCode::OutcomeUnknown, error.label().to_owned()),
    };
    CommandError { maybe_applied: error.maybe_applied(), ..wire }
}

/// What an error that has come from the owner is to the caller, who knows which command it sent, and under which id.
pub(crate) fn error_of_wire<X>(
    error: CommandError,
    command: &'static str,
    command_id: Option<&CommandId>,
) -> AskError<X> {
    let code = error.code();
    let CommandError { message, maybe_applied, .. } = error;
    let expected = Revision::new(error.expected_sequence_nr.unwrap_or_default());
    let actual = Revision::new(error.actual_sequence_nr.unwrap_or_default());
    match (code, command_id) {
        (ErrorCode::Overloaded, _) => match bound(&message) {
            Some(bound) => AskError::Overloaded { bound },
            None => AskError::unavailable(message),
        },
        (ErrorCode::Timeout, _) => AskError::Timeout { maybe_applied },
        (ErrorCode::Conflict, _) => AskError::Conflict { expected, actual },
        (ErrorCode::RevisionMismatch, _) => AskError::RevisionMismatch { expected, actual },
        (ErrorCode::Unavailable, _) => AskError::unavailable(message),
        (ErrorCode::NotOwner, _) => AskError::unavailable("the entity's partition has moved"),
        (ErrorCode::Corrupt, _) => AskError::corrupt(message),
        (ErrorCode::Invalid, _) => AskError::invalid(message),
        (ErrorCode::Panicked, _) => AskError::Panicked { command, message },
        (ErrorCode::CommandIdReused, Some(id)) => {
            AskError::CommandIdReused { command_id: id.clone(), command, first_command: message }
        }
        (ErrorCode::ReplyDeleted, Some(id)) => {
            AskError::ReplyDeleted { command_id: id.clone(), sequence_nr: actual.into() }
        }
        // what this node does not know may have happened
        _ => AskError::outcome_unknown(message),
    }
}

fn bound(text: &str) -> Option<Bound> {
    BOUNDS.into_iter().find(|bound| bound.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::SequenceNr;
    use actum_runtime::Failure;
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

    fn sent(wire: &CommandError) -> CommandError {
        CommandError::decode(&wire.encode_to_vec()[..]).unwrap()
    }

    #[test]
    fn every_error_comes_back_as_it_was() {
        let mut codes = BTreeSet::from([ErrorCode::NotOwner]); // it reaches no caller
        for error in errors() {
            let wire = sent(&error_to_wire(&error));
            codes.insert(wire.code());
            let back: Failure = error_of_wire(wire, "deposit", Some(&id()));
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
        let error: AskError<Infallible> = error_of_wire(sent(&wire), "deposit", None);
        assert!(matches!(error, AskError::OutcomeUnknown { .. }), "{error:?}");
        assert!(error.maybe_applied());
    }

    #[test]
    fn an_error_about_a_command_id_that_was_not_sent_counts_as_unknown_outcome() {
        for code in [ErrorCode::CommandIdReused, ErrorCode::ReplyDeleted] {
            let error: AskError<Infallible> = error_of_wire(of_code(code), "deposit", None);
            assert!(error.maybe_applied(), "{error:?}");
        }
    }
}
