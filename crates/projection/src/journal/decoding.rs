use super::{Changed, ReadError, Recorded, changed::of_state, changes_as_events::is_tombstone};
use actum_model::{DecodeError, Lane, Payload, StoredPayload};
use actum_persistence::{
    serializer::Serializer,
    store::{JournalEvent, StoredEvent},
};

/// How payloads are decoded: into events of a type, or not at all.
pub(super) type DecodePayload<E> = fn(StoredPayload) -> Result<E, DecodeError>;

/// Leaves payloads as they are stored.
pub(super) fn stored(payload: StoredPayload) -> Result<StoredPayload, DecodeError> {
    Ok(payload)
}

/// Decodes payloads of one type, through its upcasts.
#[expect(clippy::needless_pass_by_value, reason = "`stored` gives the payload on")]
pub(super) fn typed<E: Payload>(payload: StoredPayload) -> Result<E, DecodeError> {
    Serializer::default().decode(&payload)
}

/// Decodes an event of a lane as one of this type, through its upcasts.
pub(crate) fn decode_event<E: Payload>(
    lane: Lane,
    event: JournalEvent,
) -> Result<Recorded<E>, ReadError> {
    recorded(lane, event, typed)
}

/// An event of a lane as it is stored.
pub(crate) fn stored_event(
    lane: Lane,
    event: JournalEvent,
) -> Result<Recorded<StoredPayload>, ReadError> {
    recorded(lane, event, stored)
}

/// As [`stored`], and as [`typed`], of a state, which may be deleted.
pub(super) fn stored_state(payload: StoredPayload) -> Result<Option<StoredPayload>, DecodeError> {
    if is_tombstone(&payload) { Ok(None) } else { stored(payload).map(Some) }
}

pub(super) fn typed_state<S: Payload>(payload: StoredPayload) -> Result<Option<S>, DecodeError> {
    if is_tombstone(&payload) { Ok(None) } else { typed(payload).map(Some) }
}

/// Decodes a change that is shown as an event of a lane, as one of this type of state, through its upcasts.
pub(crate) fn decode_change<S: Payload>(
    lane: Lane,
    event: JournalEvent,
) -> Result<Changed<S>, ReadError> {
    recorded(lane, event, typed_state).map(Changed::from).map_err(of_state)
}

/// Decodes an event of a lane.
pub(super) fn recorded<E>(
    lane: Lane,
    JournalEvent { entity, partition, event }: JournalEvent,
    decode: DecodePayload<E>,
) -> Result<Recorded<E>, ReadError> {
    let metadata = event.decode_metadata();
    let StoredEvent { sequence_nr, position, event_id, timestamp, payload, .. } = event;
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(source) => return Err(ReadError::Metadata { entity, sequence_nr, source }),
    };
    match decode(payload) {
        Ok(event) => Ok(Recorded {
            entity,
            partition,
            sequence_nr,
            lane,
            position,
            event_id,
            timestamp,
            metadata,
            event,
        }),
        Err(source) => Err(ReadError::Undecodable { entity, sequence_nr, source }),
    }
}
