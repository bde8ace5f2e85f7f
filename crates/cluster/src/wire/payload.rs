use actum_model::StoredPayload;
use actum_proto::storage::v1::Payload;

pub(crate) fn payload_to_wire(stored: StoredPayload) -> Payload {
    let StoredPayload { codec, manifest, schema_version, bytes } = stored;
    let (codec, manifest) = (codec.into_owned(), manifest.into_owned());
    Payload { codec, manifest, schema_version, bytes }
}

pub(crate) fn payload_of_wire(payload: Payload) -> StoredPayload {
    let Payload { codec, manifest, schema_version, bytes } = payload;
    StoredPayload { codec: codec.into(), manifest: manifest.into(), schema_version, bytes }
}
