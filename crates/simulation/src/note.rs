use super::{Reply, Seen};
use actum_host::{Failure, LeaveReason, Moment, cell::Verdict};
use actum_model::{Position, Timestamp};
use actum_persistence::store::Snapshot;
use parking_lot::Mutex;
use std::sync::Arc;

/// What jobs and partitions show, in the order it happened. Only the ledger reads it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Note>>>);

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Note {
    /// A partition began a turn.
    Turn { life: u32, now: Moment, wall: Timestamp, room: usize, refuses: bool },
    /// Time has passed, to this moment.
    Passed { now: Moment },
    /// A command is taken out of its inbox.
    Reached { nr: u32 },
    /// The handler of a command was called.
    Handled { nr: u32, at: u64, seen: u64 },
    /// The reply of a command was computed.
    Concluded { nr: u32, digest: u64 },
    /// A command was given a failure as its answer.
    Refused { nr: u32 },
    /// A command was given the recorded reply of an earlier one.
    Replayed { nr: u32, reply: Reply },
    /// A command was answered.
    Settled { nr: u32, answer: Box<(Answer, Verdict)> },
    /// The wait for a command was ended from outside; the command itself is still held.
    EndedEarly { nr: u32, failure: Box<Failure> },
    /// A command is no longer held whose wait was ended from outside.
    Released { nr: u32 },
    /// What was to run after a command's commit has run.
    Acted { nr: u32 },
    /// A command was dropped without an answer.
    Dropped { nr: u32 },
    /// A job was used in a way that is not allowed.
    Misused { nr: u32, how: &'static str },
    /// An entity came into memory.
    Came { life: u32, entity: u32 },
    /// An entity asks for what is stored of it, from the beginning.
    Recovers { life: u32, entity: u32 },
    /// An entity has recovered, up to this change.
    Recovered { life: u32, entity: u32, at: u64 },
    /// An entity left memory.
    Left { life: u32, entity: u32, reason: LeaveReason },
    /// A cell was notified of the outcome of its write.
    Committed { life: u32, entity: u32, result: Result<Option<Position>, Box<Failure>> },
    /// A read for a cell failed.
    Unread { life: u32, entity: u32, failure: Box<Failure> },
    /// A cell sent a write: what is behind `expected`, up to `last`.
    Sent { life: u32, entity: u32, expected: u64, last: u64 },
    /// A cell brought forth a snapshot.
    Taken { life: u32, entity: u32, snapshot: Box<Snapshot> },
    /// Something interesting.
    Saw(Seen),
}

/// The prepared answer of a command.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// None yet: it was never handled.
    Nothing,
    Reply(Reply),
    Rejection,
    Failure(Failure),
    /// The reply that was recorded the first time.
    Recorded(Reply),
}

impl Log {
    pub(crate) fn write(&self, note: Note) {
        self.0.lock().push(note);
    }

    /// Swaps everything noted into `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<Note>) {
        std::mem::swap(&mut *self.0.lock(), into);
    }
}
