//! `actum.wire.v1` from end to end: a command as bytes finds its type and its entity, and what comes of it goes back as
//! bytes and is the caller's reply, rejection or error again.

mod caller;
mod commands;
mod owner;

use actum_model::StoredPayload;
use actum_proto::storage::v1::Payload;

fn to_wire(stored: StoredPayload) -> Payload {
    let StoredPayload { codec, manifest, schema_version, bytes } = stored;
    Payload { codec: codec.into(), manifest: manifest.into(), schema_version, bytes }
}

fn of_wire(payload: Payload) -> StoredPayload {
    let Payload { codec, manifest, schema_version, bytes } = payload;
    StoredPayload { codec: codec.into(), manifest: manifest.into(), schema_version, bytes }
}
