use actum_model::{EntityKey, StoredPayload, Timestamp};
use actum_persistence::store::NewEvent;
use bytes::Bytes;

/// An entity of kind `account`.
pub(crate) fn account(nr: usize) -> EntityKey {
    entity("account", &format!("acc-{nr}"))
}

/// The first `count` accounts.
pub(crate) fn accounts(count: usize) -> Vec<EntityKey> {
    (0..count).map(account).collect()
}

/// Any entity.
pub(crate) fn entity(kind: &str, id: &str) -> EntityKey {
    EntityKey::new(kind.to_owned(), id).expect("kind and id are valid")
}

/// A payload that carries `text`.
pub(crate) fn payload(text: &str) -> StoredPayload {
    StoredPayload {
        codec: "utf8".into(),
        manifest: "account.deposited".into(),
        schema_version: 1,
        bytes: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// An event that carries `text`.
pub(crate) fn event(text: &str) -> NewEvent {
    NewEvent { timestamp: timestamp(), payload: payload(text), metadata: Bytes::new() }
}

/// An event of type `manifest`.
pub(crate) fn event_of_type(manifest: &str) -> NewEvent {
    let mut event = event("typed");
    event.payload.manifest = manifest.to_owned().into();
    event
}

/// An event whose payload has this many bytes, not all alike.
pub(crate) fn event_of_size(bytes: usize) -> NewEvent {
    let mut event = event("");
    event.payload.bytes = (0..bytes).map(|i| (i % 251) as u8).collect();
    event
}

/// So many events, each with its place as text.
pub(crate) fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|i| event(&i.to_string())).collect()
}

/// A moment in November 2026.
pub(crate) fn timestamp() -> Timestamp {
    Timestamp::from_micros(1_795_000_000_123_456)
}
