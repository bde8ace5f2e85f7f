use super::{
    Aggregate, CHANGE_BYTES, Changes, Identity, Job, KindContext, Model, ModelTypes, Progress,
    Read, StageError, TakenSnapshot, Turn,
    aggregate::Unmoved,
    guard,
    model_types::IdOf,
    older_ids::memory,
    panicked::panicked,
    staging::{conclude, record},
    undecodable::undecodable,
};
use crate::{Failure, failure::full_text};
use actum_model::{Change, DurableState, EntityKey, Metadata, Revision, SequenceNr, Timestamp};
use actum_persistence::{
    panics::log_safely,
    serializer::{RecentCommand, Uptime},
    store::{
        CommandRead, CommandRecord, StateChange, StateRecord, StateWrite, StoredCommand,
        bounds::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX},
    },
};
use std::marker::PhantomData;

/// The state is stored whole, in one row.
pub struct ByState<E>(PhantomData<fn() -> E>);

/// What goes with the next write, which carries the changes of several commands.
#[derive(Default)]
pub struct StagedState {
    /// Only the last change counts, and when it was decided.
    change: Option<(StateChange, Timestamp)>,
    commands: Vec<CommandRecord>,
}

/// What a read of a durable state brings.
#[derive(Debug)]
pub enum FoundState {
    /// The record; `None` if it was never written.
    Record(Option<StateRecord>),
    /// Commands before those that are known.
    Commands(Vec<StoredCommand>),
}

impl<E: DurableState> ModelTypes for ByState<E> {
    type Entity = E;
    type Write = StateWrite;
    type Staged = StagedState;
    type Found = FoundState;
    /// The commands that were read, page by page, the newest first.
    type Older = Vec<Vec<StoredCommand>>;
}

impl<E: DurableState> Model for ByState<E> {
    fn first_read(entity: &EntityKey, _: &KindContext<E>) -> Read {
        Read::State { entity: entity.clone() }
    }

    fn record_read(entity: &EntityKey, sequence_nr: SequenceNr) -> Read {
        let revision = sequence_nr.into();
        Read::CommandRecord(CommandRead { entity: entity.clone(), revision })
    }

    fn read_ahead(_: &EntityKey, _: SequenceNr, _: &Self::Older, _: &FoundState) -> Option<Read> {
        None
    }

    fn rebuild(
        entity: &EntityKey,
        aggregate: &mut Aggregate<E>,
        older: &mut Self::Older,
        found: FoundState,
        kind: &KindContext<E>,
    ) -> Result<Progress, Failure> {
        let commands = match found {
            FoundState::Record(None) => return Ok(Progress::Done),
            FoundState::Record(Some(record)) => take_record(entity, aggregate, record, kind)?,
            FoundState::Commands(commands) => commands,
        };
        let known: usize = older.iter().map(Vec::len).sum::<usize>() + commands.len();
        let before = commands.first().map(|oldest| oldest.revision);
        let is_page = commands.len() >= kind.commands_read_max;
        older.push(commands);
        match before {
            Some(revision) if is_page && known < kind.settings.command_window.commands_max => {
                let entity = entity.clone();
                Ok(Progress::More(Read::CommandsBefore(CommandRead { entity, revision })))
            }
            _ => {
                remember(aggregate, std::mem::take(older), kind);
                if is_page {
                    aggregate.ids.leave_unread();
                }
                Ok(Progress::Done)
            }
        }
    }

    fn replayed(_: &Aggregate<E>) -> u64 {
        0
    }

    fn stage(
        id: &IdOf<Self>,
        aggregate: &mut Aggregate<E>,
        staged: &mut Self::Staged,
        change: Change<E>,
        identity: Option<&Identity>,
        job: &mut dyn Job<E>,
        turn: &Turn<'_, Self>,
    ) -> Result<Changes, StageError> {
        let (state, change) = match change {
            Change::Nothing => return Ok(Changes::default()),
            Change::Replace(state) => {
                let change = encode_state(&state, job, turn).map_err(StageError::Refused)?;
                (state, change)
            }
            Change::Delete => {
                let initial = guard(|| E::initial(id))
                    .map_err(|panic| StageError::Refused(panicked(job, panic)))?;
                (initial, StateChange::Delete)
            }
            Change::Event(never) => match never {},
            Change::Events(events) => {
                debug_assert!(events.is_empty(), "NoEvents has no value");
                return Ok(Changes::default());
            }
        };
        aggregate.state = state;
        conclude(job, &aggregate.state).map_err(StageError::Poisoned)?;
        let next = aggregate.sequence_nr.next();
        let mut bytes = CHANGE_BYTES;
        if let StateChange::Put(state) = &change {
            bytes += state.bytes.len();
        }
        if let Some(identity) = identity {
            let command = record_of(job, identity, next.into(), turn);
            let command = command.map_err(StageError::Poisoned)?;
            bytes += command.record.len() + CHANGE_BYTES;
            staged.commands.push(command);
        }
        aggregate.sequence_nr = next;
        staged.change = Some((change, turn.wall));
        Ok(Changes { count: 1, bytes })
    }

    fn write(
        entity: &EntityKey,
        aggregate: &mut Aggregate<E>,
        staged: &mut StagedState,
        expected: SequenceNr,
        turn: &Turn<'_, Self>,
    ) -> StateWrite {
        let StagedState { change, mut commands } = std::mem::take(staged);
        let (change, timestamp) = change.expect("something is staged when it is sent");
        if let Some(unmoved) = &aggregate.unmoved {
            // they stay here until this is stored: a retry may come before
            commands.splice(0..0, newest(entity, &unmoved.0).iter().cloned());
        }
        StateWrite {
            entity: entity.clone(),
            partition: turn.partition,
            owned_as: turn.kind.owned_as.clone(),
            expected: expected.into(),
            revision: aggregate.sequence_nr.into(),
            write_nr: 0,
            timestamp,
            change,
            commands,
            forget_to: aggregate.ids.take_forgotten().unwrap_or(SequenceNr::ZERO).into(),
        }
    }

    fn snapshot(_: &EntityKey, _: &Aggregate<E>, _: &Turn<'_, Self>) -> Option<TakenSnapshot> {
        None
    }
}

fn encode_state<E: DurableState>(
    state: &E,
    job: &dyn Job<E>,
    turn: &Turn<'_, ByState<E>>,
) -> Result<StateChange, Failure> {
    let stored =
        guard(|| turn.kind.serializer.encode(state)).map_err(|panic| panicked(job, panic))?;
    stored.map(StateChange::Put).map_err(|error| Failure::invalid(full_text(&error)))
}

/// How many bytes of records of schema version 1 are moved out of a state at most: far less than a store takes at once.
const MOVED_BYTES_MAX: usize = 16 << 20;
/// How many of them: with the commands that can gather for one write they are no more than a store takes at once.
const MOVED_MAX: usize = BATCH_EVENTS_MAX / 4;
const _: () = assert!(BATCH_BYTES_MAX / 4 / (2 * CHANGE_BYTES) + MOVED_MAX + 2 <= BATCH_EVENTS_MAX);

/// The newest records that can be moved at once.
fn newest<'a>(entity: &EntityKey, unmoved: &'a [CommandRecord]) -> &'a [CommandRecord] {
    let mut bytes = 0;
    let fits = |command: &&CommandRecord| {
        bytes += command.record.len() + CHANGE_BYTES;
        bytes <= MOVED_BYTES_MAX
    };
    let moved = unmoved.iter().rev().take(MOVED_MAX).take_while(fits).count();
    let left = unmoved.len() - moved;
    if left > 0 {
        log_safely(|| {
            tracing::warn!(%entity, left, "recorded replies of schema version 1 are too many or too large to be kept");
        });
    }
    &unmoved[left..]
}

/// Takes a record over, and says what it knows of commands.
fn take_record<E: DurableState>(
    entity: &EntityKey,
    aggregate: &mut Aggregate<E>,
    record: StateRecord,
    kind: &KindContext<E>,
) -> Result<Vec<StoredCommand>, Failure> {
    let unreadable =
        |what: String| Failure::corrupt(format!("{entity}: revision {}: {what}", record.revision));
    if let Some(stored) = &record.state {
        aggregate.state = guard(|| kind.serializer.decode(stored))
            .map_err(|panic| unreadable(format!("decoding panicked: {panic}")))?
            .map_err(|error| unreadable(undecodable::<E>(&error)))?;
    }
    let recent = kind.serializer.decode_recent_commands(&record.recent_commands);
    let whole = recent.map_err(|error| unreadable(full_text(&error)))?.commands;
    aggregate.sequence_nr = record.revision.into();
    if whole.is_empty() {
        return Ok(record.commands);
    }
    let unmoved: Result<Vec<_>, _> =
        whole.into_iter().map(|command| record_of_whole(command, kind)).collect();
    let unmoved = unmoved.map_err(unreadable)?;
    let nowhere = Uptime::default().incarnation;
    let mut commands: Vec<StoredCommand> = unmoved
        .iter()
        .map(|CommandRecord { revision, id_hash, .. }| StoredCommand {
            revision: *revision,
            id_hash: *id_hash,
            incarnation: nowhere,
            uptime_seconds: 0,
        })
        .collect();
    aggregate.unmoved = Some(Box::new(Unmoved(unmoved)));
    commands.extend(record.commands); // there are both if a program of version 1 came back
    commands.sort_by_key(|command| command.revision);
    commands.dedup_by_key(|command| command.revision);
    Ok(commands)
}

/// Remembers the commands of these pages, of which the newest comes first.
fn remember<E: DurableState>(
    aggregate: &mut Aggregate<E>,
    pages: Vec<Vec<StoredCommand>>,
    kind: &KindContext<E>,
) {
    for command in in_order(pages, aggregate.sequence_nr.into()) {
        let StoredCommand { revision, id_hash, incarnation, uptime_seconds: seconds } = command;
        let moment = Some(Uptime { incarnation, seconds });
        aggregate.ids.remember(id_hash, revision.into(), moment, &memory(kind));
    }
}

/// The commands that led to the revision a state has `reached`, oldest first. Others are left out: the state was put back
/// to an older one, and shows nothing of them.
fn in_order(
    pages: Vec<Vec<StoredCommand>>,
    reached: Revision,
) -> impl Iterator<Item = StoredCommand> {
    let commands = pages.into_iter().rev().flatten();
    commands.filter(move |command| command.revision <= reached)
}

fn record_of<E: DurableState>(
    job: &dyn Job<E>,
    identity: &Identity,
    revision: Revision,
    turn: &Turn<'_, ByState<E>>,
) -> Result<CommandRecord, Failure> {
    let reply = record(job, identity, turn)?;
    let id = job.envelope().metadata.command_id().cloned();
    let metadata = id.map(|id| Metadata::new().with_command_id(id)).unwrap_or_default();
    let record = turn.kind.serializer.encode_metadata(&metadata, Some(&reply));
    let record = record.map_err(|error| Failure::invalid(full_text(&error)))?;
    let (id_hash, uptime_seconds) = (identity.hash, turn.uptime);
    Ok(CommandRecord { revision, id_hash, uptime_seconds, record })
}

fn record_of_whole<E: DurableState>(
    command: RecentCommand,
    kind: &KindContext<E>,
) -> Result<CommandRecord, String> {
    let RecentCommand { command_id, sequence_nr, reply, .. } = command;
    let id_hash = (kind.hash_id)(&command_id);
    let metadata = Metadata::new().with_command_id(command_id);
    let record = kind.serializer.encode_metadata(&metadata, Some(&reply));
    let record = record.map_err(|error| full_text(&error))?;
    Ok(CommandRecord { revision: sequence_nr.into(), id_hash, uptime_seconds: 0, record })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn records(count: usize, bytes: usize) -> Vec<CommandRecord> {
        let record = Bytes::from(vec![0; bytes]);
        let record = |revision| CommandRecord {
            revision: Revision::new(revision),
            id_hash: 0,
            uptime_seconds: 0,
            record: record.clone(),
        };
        (1..=count as u64).map(record).collect()
    }

    #[test]
    fn commands_of_a_state_that_was_put_back_are_left_out() {
        let command = |revision| StoredCommand {
            revision: Revision::new(revision),
            id_hash: 0,
            incarnation: Uptime::default().incarnation,
            uptime_seconds: 0,
        };
        let pages = || vec![vec![command(5), command(8)], vec![command(1), command(3)]];
        let known = |reached| in_order(pages(), Revision::new(reached)).map(|it| it.revision.get());
        assert_eq!(known(8).collect::<Vec<_>>(), [1, 3, 5, 8]);
        assert_eq!(known(6).collect::<Vec<_>>(), [1, 3, 5]);
    }

    #[test]
    fn the_newest_records_that_fit_are_moved() {
        let entity = EntityKey::new("note", "1").unwrap();
        let few = records(9, 10);
        assert_eq!(newest(&entity, &few), few);
        let many = records(MOVED_MAX + 3, 1);
        assert_eq!(newest(&entity, &many), &many[3..], "by number");
        let large = records(9, MOVED_BYTES_MAX / 4);
        assert_eq!(newest(&entity, &large), &large[6..], "by bytes");
    }
}
