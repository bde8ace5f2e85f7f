//! What an error says to a program, and to people: what a caller can do, and why in one line.

use actum_model::{CommandId, Revision, SequenceNr};
use actum_persistence::store::{Incarnation, StoreError};
use actum_runtime::{AskError, Bound, Failure, TellError};
use std::io;

fn at(expected: u64, actual: u64) -> (Revision, Revision) {
    (Revision::new(expected), Revision::new(actual))
}

/// An error, whether it may be applied, whether it is transient, and all it says.
type Case = (Failure, bool, bool, &'static str);

/// One error of every kind.
fn failures() -> Vec<Case> {
    let mut failures = of_the_runtime();
    failures.extend(of_command_ids());
    failures.extend(of_the_store());
    failures
}

fn of_the_runtime() -> Vec<Case> {
    let (expected, actual) = at(3, 4);
    vec![
        (
            AskError::Overloaded { bound: Bound::EntityCommands },
            false,
            true,
            "overloaded: too many commands wait for this entity",
        ),
        (
            AskError::Timeout { maybe_applied: true },
            true,
            true,
            "no answer within the deadline, the command may have been applied",
        ),
        (
            AskError::Timeout { maybe_applied: false },
            false,
            true,
            "no answer within the deadline, the command was not applied",
        ),
        (
            AskError::RevisionMismatch { expected, actual },
            false,
            false,
            "revision mismatch: expected 3, the entity is at 4",
        ),
        (
            AskError::Conflict { expected, actual },
            false,
            true,
            "conflict: another writer was faster, it left the entity at revision 4 instead of 3",
        ),
        (
            AskError::unavailable("the engine has ended"),
            false,
            true,
            "unavailable: the engine has ended",
        ),
        (AskError::corrupt("event 7"), false, false, "corrupt: event 7"),
        (AskError::invalid("no id"), false, false, "invalid: no id"),
        (
            AskError::Panicked { command: "deposit", message: "oh".to_owned() },
            false,
            false,
            "the handler of `deposit` panicked: oh",
        ),
    ]
}

fn of_command_ids() -> Vec<Case> {
    let command_id = || CommandId::new("k-7").expect("a short id");
    vec![
        (
            AskError::CommandIdReused {
                command_id: command_id(),
                command: "deposit",
                first_command: "withdraw".to_owned(),
            },
            false,
            false,
            "the command id `k-7` of this `deposit` was used by a `withdraw`",
        ),
        (
            AskError::ReplyDeleted { command_id: command_id(), sequence_nr: SequenceNr::new(5) },
            true,
            false,
            "the command `k-7` was applied as 5, its reply is not stored any more",
        ),
    ]
}

fn of_the_store() -> Vec<Case> {
    let full = || io::Error::other("no space left");
    vec![
        (
            AskError::of_store(StoreError::unavailable("appending", full())),
            false,
            true,
            "unavailable: the store failed: the store is unavailable: appending: no space left",
        ),
        (
            AskError::of_store(StoreError::Fenced { incarnation: Incarnation::new(7) }),
            false,
            true,
            "unavailable: the store failed: writer incarnation 7 was revoked, another writer has taken over",
        ),
        (
            AskError::of_store(StoreError::outcome_unknown("committing", full())),
            true,
            true,
            "the outcome is unknown: the store did not confirm the write: it is unknown whether the store has \
             committed: committing: no space left",
        ),
        (
            AskError::of_store(StoreError::Lost { what: "the file was removed".into() }),
            false,
            false,
            "unavailable: the store failed: the store is lost: the file was removed",
        ),
    ]
}

#[test]
fn every_failure_says_whether_it_may_be_applied_and_whether_it_passes() {
    for (failure, maybe_applied, transient, _) in failures() {
        assert_eq!(failure.maybe_applied(), maybe_applied, "{failure:?}");
        assert_eq!(failure.is_transient(), transient, "{failure:?}");
        let told = failure.clone().map_rejection::<io::Error>(|never| match never {});
        assert_eq!(told.to_string(), failure.to_string(), "another one for another rejection");
        assert_eq!((told.maybe_applied(), told.is_transient()), (maybe_applied, transient));
    }
}

#[test]
fn every_failure_prints_its_whole_chain_in_one_line() {
    for (failure, _, _, line) in failures() {
        assert_eq!(format!("{failure:#}"), line);
        let told = format!("{:#}", TellError(failure.clone()));
        assert_eq!(told, format!("the command was not taken: {line}"));
        assert!(line.starts_with(&failure.to_string()), "{failure:?}");
    }
}

#[test]
fn a_rejection_is_neither_applied_nor_transient_and_prints_its_reason() {
    let rejected = AskError::Rejected(io::Error::other("short by 15"));
    assert!(!rejected.maybe_applied() && !rejected.is_transient());
    assert_eq!(format!("{rejected:#}"), "the entity rejected the command: short by 15");
}
