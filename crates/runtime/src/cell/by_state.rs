use super::{
    Aggregate, CHANGE_BYTES, Changes, Job, Model, Progress, Read, RecentCommands, StageError, Turn,
    guard,
    model::IdOf,
    staging::{conclude, panicked, record},
    undecodable::undecodable,
};
use crate::{Failure, failure::full_text, kind::KindContext};
use actum_model::{Change, DurableState, EntityKey, SequenceNr, Timestamp};
use actum_persistence::store::{Snapshot, StateChange, StateRecord, StateWrite};
use std::marker::PhantomData;

/// The state is stored whole, in one row.
pub(crate) struct ByState<E>(PhantomData<fn() -> E>);

impl<E: DurableState> Model for ByState<E> {
    type Entity = E;
    type Write = StateWrite;
    /// Only the last change counts, and when it was decided: one write carries those of several commands.
    type Staged = Option<(StateChange, Timestamp)>;
    type Found = Option<StateRecord>;

    fn first_read(entity: &EntityKey, _: &KindContext<E>) -> Read {
        Read::State { entity: entity.clone() }
    }

    fn read_ahead(_: &EntityKey, _: SequenceNr, _: &Option<StateRecord>) -> Option<Read> {
        None
    }

    fn rebuild(
        entity: &EntityKey,
        aggregate: &mut Aggregate<Self>,
        found: Option<StateRecord>,
        kind: &KindContext<E>,
    ) -> Result<Progress, Failure> {
        let Some(record) = found else { return Ok(Progress::Done) };
        let unreadable = |what: String| {
            Failure::corrupt(format!("{entity}: revision {}: {what}", record.revision))
        };
        if let Some(stored) = &record.state {
            aggregate.state = guard(|| kind.serializer.decode(stored))
                .map_err(|panic| unreadable(format!("decoding panicked: {panic}")))?
                .map_err(|error| unreadable(undecodable::<E>(&error)))?;
        }
        let recent = kind.serializer.decode_recent_commands(&record.recent_commands);
        aggregate.recent =
            RecentCommands::of(recent.map_err(|error| unreadable(full_text(&error)))?);
        aggregate.sequence_nr = record.revision.into();
        Ok(Progress::Done)
    }

    fn stage(
        id: &IdOf<Self>,
        aggregate: &mut Aggregate<Self>,
        staged: &mut Self::Staged,
        change: Change<E>,
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
        if let Some(command) = record(job, next, turn).map_err(StageError::Poisoned)? {
            aggregate.recent.remember(command, &turn.kind.settings.command_window);
        }
        aggregate.sequence_nr = next;
        let bytes = if let StateChange::Put(state) = &change { state.bytes.len() } else { 0 };
        let bytes = bytes + CHANGE_BYTES;
        *staged = Some((change, turn.wall));
        Ok(Changes { count: 1, bytes })
    }

    fn write(
        entity: &EntityKey,
        aggregate: &Aggregate<Self>,
        staged: &mut Self::Staged,
        expected: SequenceNr,
        turn: &Turn<'_, Self>,
    ) -> StateWrite {
        let (change, timestamp) = staged.take().expect("something is staged when it is sent");
        StateWrite {
            entity: entity.clone(),
            partition: turn.partition,
            expected: expected.into(),
            revision: aggregate.sequence_nr.into(),
            write_nr: 0,
            timestamp,
            change,
            recent_commands: turn.kind.serializer.encode_recent_commands(aggregate.recent.iter()),
        }
    }

    fn snapshot(_: &EntityKey, _: &Aggregate<Self>, _: &Turn<'_, Self>) -> Option<Snapshot> {
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
