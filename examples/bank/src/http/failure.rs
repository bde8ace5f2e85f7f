//! From what an ask ends in to a problem document.

use super::{
    Problem,
    problem_type::{
        ACCOUNT_CLOSED, ACCOUNT_NOT_EMPTY, ACCOUNT_OPEN, BALANCE_OVERFLOW, CONFLICT, CORRUPT,
        INSUFFICIENT_FUNDS, INTERNAL, INVALID_AMOUNT, INVALID_OWNER, INVALID_REQUEST, KEY_REUSED,
        OUTCOME_UNKNOWN, OVERLOADED, PANICKED, REPLY_DELETED, REVISION_MISMATCH, TIMEOUT,
        UNAVAILABLE, UNKNOWN_ACCOUNT,
    },
};
use crate::domain::Refused;
use actum::AskError;
use std::convert::Infallible;

/// The problem of a failed ask.
pub(super) fn problem_of(error: &AskError<Refused>) -> Problem {
    let detail = format!("{error:#}");
    match error {
        AskError::Rejected(refused) => refusal(refused),
        AskError::Overloaded { .. } => {
            Problem::new(OVERLOADED, detail).with("maybe_applied", false)
        }
        AskError::Timeout { maybe_applied } => {
            Problem::new(TIMEOUT, detail).with("maybe_applied", *maybe_applied)
        }
        AskError::RevisionMismatch { expected, actual } => Problem::new(REVISION_MISMATCH, detail)
            .with("expected", expected.get())
            .with("actual", actual.get()),
        AskError::Conflict { expected, actual } => Problem::new(CONFLICT, detail)
            .with("expected", expected.get())
            .with("actual", actual.get()),
        AskError::Unavailable { .. } => {
            Problem::new(UNAVAILABLE, detail).with("maybe_applied", false)
        }
        AskError::OutcomeUnknown { .. } => {
            Problem::new(OUTCOME_UNKNOWN, detail).with("maybe_applied", true)
        }
        AskError::CommandIdReused { .. } => Problem::new(KEY_REUSED, detail),
        AskError::ReplyDeleted { sequence_nr, .. } => Problem::new(REPLY_DELETED, detail)
            .with("revision", sequence_nr.get())
            .with("maybe_applied", true),
        AskError::Corrupt { .. } => Problem::new(CORRUPT, detail),
        AskError::Invalid { .. } => Problem::new(INVALID_REQUEST, detail),
        AskError::Panicked { .. } => Problem::new(PANICKED, detail),
        _ => Problem::new(INTERNAL, detail),
    }
}

/// As [`problem_of`], for what the account is not asked and cannot refuse.
pub(super) fn problem_of_read(error: AskError<Infallible>) -> Problem {
    problem_of(&error.map_rejection(|never| match never {}))
}

fn refusal(refused: &Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::NotOpen => Problem::new(UNKNOWN_ACCOUNT, detail),
        Refused::AlreadyOpen => Problem::new(ACCOUNT_OPEN, detail),
        Refused::Closed => Problem::new(ACCOUNT_CLOSED, detail),
        Refused::NotEmpty { balance } => {
            Problem::new(ACCOUNT_NOT_EMPTY, detail).with("balance", balance.minor_units())
        }
        Refused::InsufficientFunds { balance, amount } => Problem::new(INSUFFICIENT_FUNDS, detail)
            .with("balance", balance.minor_units())
            .with("amount", amount.minor_units()),
        Refused::BalanceOverflow { balance, amount } => Problem::new(BALANCE_OVERFLOW, detail)
            .with("balance", balance.minor_units())
            .with("amount", amount.minor_units()),
        Refused::AmountNotPositive => Problem::new(INVALID_AMOUNT, detail),
        Refused::OwnerInvalid { .. } => Problem::new(INVALID_OWNER, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::{AskError, Problem, problem_of};
    use crate::domain::Refused;
    use actum::{Bound, CommandId, Revision, SequenceNr};
    use serde_json::json;

    fn document(error: &AskError<Refused>) -> serde_json::Value {
        let problem: Problem = problem_of(error);
        serde_json::to_value(problem.document("/accounts/ada")).expect("a document is JSON")
    }

    #[test]
    fn every_failure_of_an_ask_has_a_problem_that_says_what_can_be_done() {
        let command_id = CommandId::new("order-7").expect("it is an id");
        let first_command = "deposit".to_owned();
        let deleted = AskError::ReplyDeleted {
            command_id: command_id.clone(),
            sequence_nr: SequenceNr::new(3),
        };
        let reused = AskError::CommandIdReused { command_id, command: "withdraw", first_command };
        let corrupt = AskError::Corrupt { what: "event 7".to_owned() };
        let invalid = AskError::Invalid { what: "too long".to_owned() };
        let panicked = AskError::Panicked { command: "deposit", message: "oh".to_owned() };
        for (error, status, name, maybe_applied) in [
            (AskError::Overloaded { bound: Bound::JournalBytes }, 503, "overloaded", json!(false)),
            (AskError::Timeout { maybe_applied: true }, 504, "timeout", json!(true)),
            (AskError::Timeout { maybe_applied: false }, 504, "timeout", json!(false)),
            (AskError::unavailable("away"), 503, "unavailable", json!(false)),
            (AskError::outcome_unknown("away"), 500, "outcome-unknown", json!(true)),
            (corrupt, 500, "corrupt", json!(null)),
            (reused, 422, "key-reused", json!(null)),
            (deleted, 410, "reply-deleted", json!(true)),
            (invalid, 400, "invalid-request", json!(null)),
            (panicked, 500, "panicked", json!(null)),
        ] {
            let document = document(&error);
            assert_eq!(document["status"], status, "{error}");
            assert_eq!(document["type"], format!("/problems/{name}"), "{error}");
            assert_eq!(document["detail"], error.to_string());
            assert_eq!(document.get("maybe_applied").unwrap_or(&json!(null)), &maybe_applied);
        }
    }

    #[test]
    fn wrong_revision_of_a_caller_and_a_rival_writer_are_two_problems() {
        let (expected, actual) = (Revision::new(3), Revision::new(4));
        for (error, status) in [
            (AskError::RevisionMismatch { expected, actual }, 412),
            (AskError::Conflict { expected, actual }, 409),
        ] {
            let document = document(&error);
            assert_eq!(document["status"], status, "{error}");
            assert_eq!((&document["expected"], &document["actual"]), (&json!(3), &json!(4)));
        }
    }
}
