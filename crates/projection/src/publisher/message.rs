use super::{cloud_time::cloud_time, header_value::header_value};
use crate::journal::Recorded;
use actum_model::{EntityKey, Payload, StoredPayload};
use actum_persistence::{
    serializer::{EncodeError, Serializer, SizeLimits},
    store::EventId,
};
use bytes::Bytes;
use std::{borrow::Cow, sync::Arc};

/// An event on its way out: its data, and the attributes that CloudEvents 1.0 gives it.
///
/// The data is the event as this program knows it, lifted to the present schema version and encoded by its own codec,
/// whatever was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    source: Arc<str>,
    recorded: Recorded<StoredPayload>,
    is_replay: bool,
}

impl Message {
    /// The message of an event, from this `source`.
    ///
    /// # Errors
    /// [`EncodeError`] when the event cannot be encoded.
    pub fn of<E: Payload>(source: &Arc<str>, recorded: &Recorded<E>) -> Result<Self, EncodeError> {
        // how large an event may be is the engine's to say, and the broker's
        let limits = SizeLimits::default().with_payload_bytes_max(usize::MAX);
        let payload = Serializer::new(limits).encode(&recorded.event)?;
        let Recorded { entity, metadata, .. } = recorded;
        let recorded = Recorded {
            entity: entity.clone(),
            metadata: metadata.clone(),
            event: payload,
            partition: recorded.partition,
            sequence_nr: recorded.sequence_nr,
            lane: recorded.lane,
            position: recorded.position,
            event_id: recorded.event_id,
            timestamp: recorded.timestamp,
        };
        Ok(Self { source: Arc::clone(source), recorded, is_replay: false })
    }

    pub(crate) fn with_replay(self, is_replay: bool) -> Self {
        Self { is_replay, ..self }
    }

    /// Names the event, `id`: the same whenever it is published again.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.recorded.event_id
    }

    /// Where it comes from, `source`: see [`Projection::source`](crate::Projection::source).
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Names the message among those of all sources: source and id.
    #[must_use]
    pub fn unique_id(&self) -> String {
        format!("{}#{}", self.source, self.recorded.event_id)
    }

    /// Whose event it is.
    #[must_use]
    pub fn entity(&self) -> &EntityKey {
        &self.recorded.entity
    }

    /// The manifest of the event, `type`.
    #[must_use]
    pub fn manifest(&self) -> &str {
        &self.recorded.event.manifest
    }

    /// The event, encoded.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.recorded.event.bytes
    }

    /// The media type of the data, `datacontenttype`, by the codec of the event.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match &*self.recorded.event.codec {
            "json" => "application/json",
            "cbor" => "application/cbor",
            "prost" => "application/protobuf",
            _ => "application/octet-stream",
        }
    }

    /// Everything that is known of the event: its number, its place in the journal, its metadata with all headers. Its payload
    /// is that of the message.
    #[must_use]
    pub fn recorded(&self) -> &Recorded<StoredPayload> {
        &self.recorded
    }

    /// Whether the event happened before the projection was there, or before it was rewound.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Its attributes by their names in CloudEvents: `specversion`, `id`, `source`, `type`, `subject` (kind and id of the
    /// entity, `account/acc-1`), `time`, `datacontenttype`; and as extensions `sequencenr`, `schemaversion`, `partition`,
    /// and where there are such, `traceparent`, `tracestate`, `causationid` and `correlationid`.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let Recorded { entity, metadata, event, .. } = &self.recorded;
        let trace = metadata.trace();
        let owned = |text: String| Some(Cow::Owned(text));
        let all: [(_, Option<Cow<'_, str>>); 14] = [
            ("specversion", Some("1.0".into())),
            ("id", owned(self.recorded.event_id.to_string())),
            ("source", Some(self.source().into())),
            ("type", Some(self.manifest().into())),
            ("subject", owned(entity.to_string())),
            ("time", cloud_time(self.recorded.timestamp).map(Cow::Owned)),
            ("datacontenttype", Some(self.content_type().into())),
            ("sequencenr", owned(self.recorded.sequence_nr.to_string())),
            ("schemaversion", owned(event.schema_version.to_string())),
            ("partition", owned(self.recorded.partition.nr().to_string())),
            ("traceparent", trace.map(|trace| trace.traceparent().into())),
            ("tracestate", trace.and_then(|trace| trace.tracestate()).map(Cow::Borrowed)),
            ("causationid", metadata.causation_id().map(Cow::Borrowed)),
            ("correlationid", metadata.correlation_id().map(Cow::Borrowed)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Its attributes as headers, each behind `ce-`, as the binary mode of CloudEvents has them beside the data: what is not
    /// printable ASCII is percent-encoded.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let header = |(name, value): (_, Cow<'_, str>)| {
            (format!("ce-{name}"), header_value(&value).into_owned())
        };
        self.attributes().into_iter().map(header)
    }
}
