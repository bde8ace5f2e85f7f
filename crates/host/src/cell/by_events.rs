use super::{
    Aggregate, CHANGE_BYTES, Changes, Identity, Job, KindContext, Model, ModelTypes, OlderIds,
    Progress, Read, StageError, TakenSnapshot, Turn, decode_snapshot, guard,
    model_types::IdOf,
    older_ids::{command_of, memory},
    panicked::panicked,
    staging::{conclude, record},
    trouble,
    undecodable::undecodable,
};
use crate::{Bound, Failure, failure::full_text};
use actum_model::{Change, EntityKey, EventSourced, SequenceNr};
use actum_persistence::{
    panics::log_safely,
    serializer::{CommandMark, RecentCommands, RecordedReply, Serializer},
    store::{
        EntityAppend, EntityPage, NewEvent, Recovered, Snapshot, StoredEvent,
        bounds::BATCH_EVENTS_MAX,
    },
};
use bytes::Bytes;
use std::marker::PhantomData;

/// The state is folded from the entity's events.
pub struct ByEvents<E>(PhantomData<fn() -> E>);

impl<E: EventSourced> ModelTypes for ByEvents<E> {
    type Entity = E;
    type Write = EntityAppend;
    type Staged = Vec<NewEvent>;
    type Found = Recovered;
    type Older = OlderIds;
}

impl<E: EventSourced> Model for ByEvents<E> {
    fn first_read(entity: &EntityKey, kind: &KindContext<E>) -> Read {
        let newest = if kind.settings.snapshots.is_some() {
            SequenceNr::new(u64::MAX)
        } else {
            SequenceNr::ZERO
        };
        Read::Start { entity: entity.clone(), snapshot_at_most: newest }
    }

    fn record_read(entity: &EntityKey, sequence_nr: SequenceNr) -> Read {
        Read::EventRecord { entity: entity.clone(), sequence_nr }
    }

    fn read_ahead(
        entity: &EntityKey,
        at: SequenceNr,
        older: &OlderIds,
        found: &Recovered,
    ) -> Option<Read> {
        if older.is_reading() {
            return None; // it ends before the head
        }
        let last = found.page.events.last()?.sequence_nr;
        // a snapshot may turn out to be unreadable, and then other events are needed; so they are behind a gap
        let usable = found.snapshot.is_none() && found.page.floor <= at;
        let next = usable && last < found.page.head;
        next.then(|| Read::Page { entity: entity.clone(), after: last })
    }

    fn rebuild(
        entity: &EntityKey,
        aggregate: &mut Aggregate<E>,
        older: &mut OlderIds,
        found: Recovered,
        kind: &KindContext<E>,
    ) -> Result<Progress, Failure> {
        if older.is_reading() {
            return older.take(entity, aggregate, &found.page, kind);
        }
        if let Some(snapshot) = &found.snapshot
            && let Err(unreadable) = take_snapshot(aggregate, older, snapshot, kind)
        {
            let (nr, error) = (snapshot.sequence_nr, unreadable);
            log_safely(|| {
                tracing::warn!(
                    %entity, sequence_nr = %nr, %error,
                    "snapshot unreadable, looking for an older one"
                );
            });
            let before = SequenceNr::new(snapshot.sequence_nr.get().saturating_sub(1));
            return Ok(Progress::More(Read::Start {
                entity: entity.clone(),
                snapshot_at_most: before,
            }));
        }
        if found.page.floor > aggregate.sequence_nr {
            return behind_the_floor(entity, aggregate.sequence_nr, &found, kind);
        }
        match replay(entity, aggregate, &found.page, kind)? {
            Progress::Done => Ok(older.begin(entity, aggregate)),
            progress => Ok(progress),
        }
    }

    fn replayed(aggregate: &Aggregate<E>) -> u64 {
        aggregate.sequence_nr.get() - aggregate.snapshot_nr.get()
    }

    fn stage(
        _: &IdOf<Self>,
        aggregate: &mut Aggregate<E>,
        staged: &mut Vec<NewEvent>,
        change: Change<E>,
        identity: Option<&Identity>,
        job: &mut dyn Job<E>,
        turn: &Turn<'_, Self>,
    ) -> Result<Changes, StageError> {
        let before = staged.len();
        let result = match change {
            Change::Event(event) => {
                let events = [event];
                let result = stage_events(aggregate, staged, &events, identity, job, turn);
                discard(events);
                result
            }
            Change::Nothing => Ok(()),
            Change::Events(events) if events.is_empty() => Ok(()),
            Change::Events(events) => {
                let result = stage_events(aggregate, staged, &events, identity, job, turn);
                discard(events);
                result
            }
            Change::Replace(_) | Change::Delete => {
                unreachable!("only a durable state is replaced or deleted")
            }
        };
        if let Err(error) = result {
            staged.truncate(before);
            return Err(error);
        }
        Ok(Changes { count: (staged.len() - before) as u64, bytes: room_of(&staged[before..]) })
    }

    fn write(
        entity: &EntityKey,
        _: &mut Aggregate<E>,
        staged: &mut Vec<NewEvent>,
        expected: SequenceNr,
        turn: &Turn<'_, Self>,
    ) -> EntityAppend {
        let (entity, partition, events) = (entity.clone(), turn.partition, std::mem::take(staged));
        let owned_as = turn.kind.owned_as.clone();
        EntityAppend { entity, partition, owned_as, expected, first_event_nr: 0, events }
    }

    fn snapshot(
        entity: &EntityKey,
        aggregate: &Aggregate<E>,
        turn: &Turn<'_, Self>,
    ) -> Option<TakenSnapshot> {
        let policy = turn.kind.settings.snapshots.as_ref()?;
        match guard(|| (policy.encode)(&turn.kind.serializer, &aggregate.state)) {
            Ok(Ok(state)) => {
                trouble::snapshot_taken(turn);
                Some(TakenSnapshot {
                    snapshot: Snapshot {
                        entity: entity.clone(),
                        sequence_nr: aggregate.sequence_nr,
                        timestamp: aggregate.timestamp,
                        state,
                        recent_commands: turn.kind.serializer.encode_recent_commands(
                            &aggregate.ids.to_store(turn.kind.snapshot_marks_max),
                        ),
                    },
                    needed_from: aggregate.ids.oldest(),
                })
            }
            Ok(Err(error)) => {
                trouble::no_snapshot(entity, &full_text(&error), turn);
                None
            }
            Err(panic) => {
                trouble::no_snapshot(entity, &format!("it panicked: {panic}"), turn);
                None
            }
        }
    }
}

/// What to do when events were deleted that are needed, since no snapshot reaches further than `at`.
fn behind_the_floor<E: EventSourced>(
    entity: &EntityKey,
    at: SequenceNr,
    found: &Recovered,
    kind: &KindContext<E>,
) -> Result<Progress, Failure> {
    let floor = found.page.floor;
    if kind.settings.snapshots.is_none() {
        return Err(Failure::invalid(format!(
            "{entity}: events up to {floor} were deleted behind a snapshot, and kind `{}` is registered without \
             snapshots; register it with the snapshot settings it had",
            entity.kind()
        )));
    }
    let skipped = found.skipped.as_ref().map_or(String::new(), |skipped| format!("; {skipped}"));
    let failure = Failure::corrupt(format!(
        "{entity}: events up to {floor} were deleted, and no readable snapshot reaches further than {at}{skipped}"
    ));
    Ok(Progress::Overtaken { floor, failure })
}

fn take_snapshot<E: EventSourced>(
    aggregate: &mut Aggregate<E>,
    older: &mut OlderIds,
    snapshot: &Snapshot,
    kind: &KindContext<E>,
) -> Result<(), String> {
    let policy = kind.settings.snapshots.as_ref().ok_or("this kind takes no snapshots")?;
    let (state, mut recent) = decode_snapshot(policy, &kind.serializer, snapshot)?;
    take_whole(&mut recent, kind);
    aggregate.state = state;
    aggregate.sequence_nr = snapshot.sequence_nr;
    aggregate.timestamp = snapshot.timestamp;
    aggregate.snapshot_nr = snapshot.sequence_nr;
    aggregate.ids.restore(&recent, &kind.ids);
    *older = OlderIds::behind_snapshot(recent.forgotten_to, aggregate.ids.oldest());
    Ok(())
}

/// Takes over what schema version 1 has stored: all ids are listed, and how old they are is not known.
fn take_whole<E: EventSourced>(recent: &mut RecentCommands, kind: &KindContext<E>) {
    let Some(oldest) = recent.commands.first() else { return };
    recent.forgotten_to = SequenceNr::new(oldest.sequence_nr.get().saturating_sub(1));
    let whole = recent.commands.drain(..).map(|command| CommandMark {
        id_hash: (kind.hash_id)(&command.command_id),
        sequence_nr: command.sequence_nr,
        age_seconds: 0,
    });
    recent.marks = whole.collect();
}

fn replay<E: EventSourced>(
    entity: &EntityKey,
    aggregate: &mut Aggregate<E>,
    page: &EntityPage,
    kind: &KindContext<E>,
) -> Result<Progress, Failure> {
    for event in &page.events {
        replay_event(entity, aggregate, event, kind)?;
    }
    let at = aggregate.sequence_nr;
    match (at < page.head, page.events.is_empty()) {
        (false, _) => Ok(Progress::Done),
        (true, false) => Ok(Progress::More(Read::Page { entity: entity.clone(), after: at })),
        (true, true) => {
            let head = page.head;
            Err(Failure::corrupt(format!("{entity}: events {} to {head} are missing", at.next())))
        }
    }
}

fn replay_event<E: EventSourced>(
    entity: &EntityKey,
    aggregate: &mut Aggregate<E>,
    stored: &StoredEvent,
    kind: &KindContext<E>,
) -> Result<(), Failure> {
    let nr = stored.sequence_nr;
    if nr != aggregate.sequence_nr.next() {
        let expected = aggregate.sequence_nr.next();
        return Err(Failure::corrupt(format!(
            "{entity}: expected event {expected}, the journal has {nr}"
        )));
    }
    let event = guard(|| kind.serializer.decode::<E::Event>(&stored.payload))
        .map_err(|panic| {
            Failure::corrupt(format!("{entity}: event {nr}: decoding panicked: {panic}"))
        })?
        .map_err(|error| {
            let why = undecodable::<E::Event>(&error);
            Failure::corrupt(format!("{entity}: event {nr}: {why}"))
        })?;
    let applied = guard(|| aggregate.state.apply(&event));
    discard(event);
    applied.map_err(|panic| {
        Failure::corrupt(format!("{entity}: event {nr}: applying it panicked: {panic}"))
    })?;
    aggregate.sequence_nr = nr;
    aggregate.position = stored.position;
    aggregate.timestamp = stored.timestamp;
    if let Some((hash, moment)) = command_of(entity, stored, kind)? {
        aggregate.ids.remember(hash, nr, moment, &memory(kind));
    }
    Ok(())
}

/// Encodes first, since that may fail without harm; then applies, which cannot be taken back.
fn stage_events<E: EventSourced>(
    aggregate: &mut Aggregate<E>,
    staged: &mut Vec<NewEvent>,
    events: &[E::Event],
    identity: Option<&Identity>,
    job: &mut dyn Job<E>,
    turn: &Turn<'_, ByEvents<E>>,
) -> Result<(), StageError> {
    let first = staged.len();
    encode_events(staged, events, job, turn).map_err(StageError::Refused)?;
    check_limits(&staged[first..], &turn.kind.serializer).map_err(StageError::Refused)?;
    if first > 0 && staged.len() > BATCH_EVENTS_MAX {
        // alone they would fit, and will, behind the append under way
        let bound = Bound::JournalBytes;
        return Err(StageError::Refused(Failure::Overloaded { bound }));
    }

    guard(|| events.iter().for_each(|event| aggregate.state.apply(event)))
        .map_err(|panic| StageError::Poisoned(panicked(job, panic)))?;
    conclude(job, &aggregate.state).map_err(StageError::Poisoned)?;
    aggregate.sequence_nr = aggregate.sequence_nr.plus(events.len() as u64);
    aggregate.timestamp = turn.wall;
    let Some(last) = staged[first..].last_mut() else { return Ok(()) };
    if let Some(identity) = identity {
        let reply = record(job, identity, turn).map_err(StageError::Poisoned)?;
        last.metadata = encode_metadata(job, Some(&reply), turn).map_err(StageError::Poisoned)?;
    }
    Ok(())
}

/// Drops events, which may panic, when all that they are for is done.
fn discard(events: impl Sized) {
    if let Err(panic) = guard(|| drop(events)) {
        log_safely(|| tracing::error!(panic, "dropping an event panicked"));
    }
}

fn encode_events<E: EventSourced>(
    staged: &mut Vec<NewEvent>,
    events: &[E::Event],
    job: &dyn Job<E>,
    turn: &Turn<'_, ByEvents<E>>,
) -> Result<(), Failure> {
    let metadata = encode_metadata(job, None, turn)?;
    if staged.is_empty() {
        staged.reserve_exact(events.len()); // mostly nothing follows: no room for it
    }
    for event in events {
        let payload = guard(|| turn.kind.serializer.encode(event))
            .map_err(|panic| panicked(job, panic))?
            .map_err(|error| Failure::invalid(full_text(&error)))?;
        staged.push(NewEvent { timestamp: turn.wall, payload, metadata: metadata.clone() });
    }
    Ok(())
}

fn encode_metadata<E: EventSourced>(
    job: &dyn Job<E>,
    reply: Option<&RecordedReply>,
    turn: &Turn<'_, ByEvents<E>>,
) -> Result<Bytes, Failure> {
    let metadata = &job.envelope().metadata;
    turn.kind
        .serializer
        .encode_metadata(metadata, reply)
        .map_err(|error| Failure::invalid(full_text(&error)))
}

fn check_limits(events: &[NewEvent], serializer: &Serializer) -> Result<(), Failure> {
    let limits = serializer.limits();
    let bytes = bytes_of(events);
    if events.len() > limits.append_events_max {
        let (count, max) = (events.len(), limits.append_events_max);
        return Err(Failure::invalid(format!(
            "one command may store at most {max} events, this one has {count}"
        )));
    }
    if bytes > limits.append_bytes_max {
        let max = limits.append_bytes_max;
        return Err(Failure::invalid(format!(
            "one command may store at most {max} bytes, this one has {bytes}"
        )));
    }
    Ok(())
}

/// What events take in memory until they are sent.
fn room_of(events: &[NewEvent]) -> usize {
    bytes_of(events) + events.len() * CHANGE_BYTES
}

fn bytes_of(events: &[NewEvent]) -> usize {
    events.iter().map(|event| event.payload.bytes.len() + event.metadata.len()).sum()
}
