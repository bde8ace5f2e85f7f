use super::{ReadError, Recorded};
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
