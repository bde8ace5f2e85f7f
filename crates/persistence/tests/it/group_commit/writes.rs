//! Writes to group, and what machines say about them in short.

use actum_model::{
    EntityKey, Lane, Partition, Position, Revision, SequenceNr, StoredPayload, Timestamp,
};
use actum_persistence::{
    group_commit::{
        CommitError, Committed, GroupCommit, GroupCommitSettings, Settled, Step, WriterScope,
    },
    store::{AppendOutcome, EntityAppend, NewEvent, StateChange, StateWrite, StoreError},
};
use bytes::Bytes;

pub(super) type Machine = GroupCommit<EntityAppend, u32>;

pub(super) fn machine() -> Machine {
    GroupCommit::new(WriterScope::Lane(Lane::new(0)), &GroupCommitSettings::default())
}

pub(super) fn bounded(events: usize, bytes: usize) -> Machine {
    let settings = GroupCommitSettings::default();
    let settings = settings.with_batch_events_max(events).with_batch_bytes_max(bytes);
    GroupCommit::new(WriterScope::Lane(Lane::new(0)), &settings)
}

/// One event of one byte, for entity `id`, in partition 0.
pub(super) fn append(id: u32) -> EntityAppend {
    append_of(id, &[1])
}

/// Events of these sizes, for entity `id`, in partition 0.
pub(super) fn append_of(id: u32, sizes: &[usize]) -> EntityAppend {
    EntityAppend {
        entity: EntityKey::new("thing", id.to_string()).unwrap(),
        partition: Partition::new(0),
        owned_as: None,
        expected: SequenceNr::new(0),
        first_event_nr: 0,
        events: sizes.iter().map(|size| event(*size)).collect(),
    }
}

pub(super) fn state_write(id: u32) -> StateWrite {
    StateWrite {
        entity: EntityKey::new("thing", id.to_string()).unwrap(),
        partition: Partition::new(7),
        owned_as: None,
        expected: Revision::ZERO,
        revision: Revision::new(1),
        write_nr: 0,
        timestamp: Timestamp::from_micros(1),
        change: StateChange::Put(payload(10)),
        commands: Vec::new(),
        forget_to: Revision::ZERO,
    }
}

fn event(size: usize) -> NewEvent {
    NewEvent {
        timestamp: Timestamp::from_micros(1),
        payload: payload(size),
        metadata: Bytes::new(),
    }
}

fn payload(size: usize) -> StoredPayload {
    StoredPayload {
        codec: "plain".into(),
        manifest: "event".into(),
        schema_version: 1,
        bytes: vec![0; size].into(),
    }
}

pub(super) fn id_of(append: &EntityAppend) -> u32 {
    append.entity.id().parse().unwrap()
}

pub(super) fn ids(appends: &[EntityAppend]) -> Vec<u32> {
    appends.iter().map(id_of).collect()
}

/// The batch the machine wants written now.
pub(super) fn to_write(machine: &mut Machine) -> Vec<EntityAppend> {
    match machine.next_step() {
        Some(Step::Write(writes)) => writes,
        other => panic!("expected a batch to write, got {other:?}"),
    }
}

/// The batch the machine wants resolved now, and which attempt it is.
pub(super) fn to_resolve(machine: &mut Machine) -> (Vec<EntityAppend>, u32) {
    match machine.next_step() {
        Some(Step::Resolve { writes, attempt }) => (writes, attempt),
        other => panic!("expected a batch to resolve, got {other:?}"),
    }
}

/// Stores the batch, its last event at position `last`.
pub(super) fn store(machine: &mut Machine, writes: Vec<EntityAppend>) -> Vec<Settled<u32>> {
    let outcomes = vec![appended(1); writes.len()];
    machine.finished(writes, Ok(outcomes))
}

pub(super) fn appended(last: u64) -> AppendOutcome {
    AppendOutcome::Appended { last: Position::new(last) }
}

pub(super) fn unknown() -> StoreError {
    StoreError::outcome_unknown("appending", "the connection broke")
}

pub(super) fn unavailable() -> StoreError {
    StoreError::unavailable("appending", "the server is starting")
}

/// A result in a word or two, to compare many at a glance.
pub(super) fn word(result: &Result<Committed, CommitError>) -> String {
    match result {
        Ok(Committed { last: Some(last) }) => format!("at {last}"),
        Ok(Committed { last: None }) => "written".into(),
        Err(CommitError::Conflict { actual }) => format!("conflict {actual}"),
        Err(CommitError::NotOwned) => "not owned".into(),
        Err(CommitError::Store(StoreError::Fenced { .. })) => "fenced".into(),
        Err(CommitError::Store(StoreError::Lost { .. })) => "lost".into(),
        Err(CommitError::Store(StoreError::Unavailable { .. })) => "unavailable".into(),
        Err(CommitError::Store(StoreError::OutcomeUnknown { .. })) => "unknown".into(),
        Err(CommitError::Store(StoreError::Corrupt { .. })) => "corrupt".into(),
        Err(CommitError::Store(StoreError::Invalid { .. })) => "invalid".into(),
        Err(other) => panic!("a new kind of error: {other}"),
    }
}

pub(super) fn words(settled: &[Settled<u32>]) -> Vec<(u32, String)> {
    settled.iter().map(|settled| (settled.ticket, word(&settled.result))).collect()
}

/// The same result for each of these tickets.
pub(super) fn all(tickets: impl IntoIterator<Item = u32>, word: &str) -> Vec<(u32, String)> {
    tickets.into_iter().map(|ticket| (ticket, word.to_owned())).collect()
}
