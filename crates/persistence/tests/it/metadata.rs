use actum_model::{CommandId, Metadata, StoredPayload, TraceContext};
use actum_persistence::serializer::{
    EncodeError, MetadataError, RecordedReply, Serializer, SizeLimits,
};
use actum_proto::storage::v1;
use bytes::Bytes;
use proptest::{
    prelude::{Strategy, any, prop},
    prop_assert_eq, proptest,
};
use prost::Message;

pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub(crate) fn full_metadata() -> Metadata {
    let trace = TraceContext::new(TRACEPARENT).unwrap().with_tracestate("congo=t61rcWkgMzE");
    Metadata::new()
        .with_command_id(CommandId::new("order-7").unwrap())
        .with_correlation_id("request-1")
        .with_causation_id("12-34")
        .with_trace(trace)
        .with_header("tenant", "åcme")
        .with_header("empty", "")
        .with_header("tenant", "again")
}

pub(crate) fn reply() -> RecordedReply {
    RecordedReply {
        command_schema_version: 2,
        command_fingerprint: Some(0x0123_4567_89ab_cdef),
        uptime_seconds: Some(0),
        ..old_reply()
    }
}

/// A reply as it was recorded when nothing was kept of the command's content.
pub(crate) fn old_reply() -> RecordedReply {
    RecordedReply {
        command_schema_version: 0,
        command_fingerprint: None,
        uptime_seconds: None,
        command_manifest: "account.withdraw".into(),
        payload: StoredPayload {
            codec: "json".into(),
            manifest: "money".into(),
            schema_version: 300,
            bytes: Bytes::from_static(b"{\"cents\":5}"),
        },
    }
}

fn damaged(stored: &v1::EventMetadata) -> MetadataError {
    Serializer::default().decode_metadata(&stored.encode_to_vec().into()).unwrap_err()
}

#[test]
fn no_metadata_is_no_bytes_and_no_allocation() {
    let serializer = Serializer::default();
    let used = allocation_counter::measure(|| {
        let bytes = serializer.encode_metadata(&Metadata::new(), None).unwrap();
        assert!(bytes.is_empty());
        assert_eq!(serializer.decode_metadata(&bytes).unwrap(), (Metadata::new(), None));
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn a_reply_is_kept_without_metadata_too() {
    let serializer = Serializer::default();
    let bytes = serializer.encode_metadata(&Metadata::new(), Some(&reply())).unwrap();
    assert_eq!(serializer.decode_metadata(&bytes).unwrap(), (Metadata::new(), Some(reply())));
}

#[test]
fn an_empty_reply_is_not_taken_for_none() {
    let payload = StoredPayload {
        codec: "".into(),
        manifest: "".into(),
        schema_version: 0,
        bytes: Bytes::new(),
    };
    let reply = RecordedReply {
        command_manifest: "".into(),
        command_schema_version: 0,
        command_fingerprint: None,
        uptime_seconds: None,
        payload,
    };
    let serializer = Serializer::default();
    let bytes = serializer.encode_metadata(&Metadata::new(), Some(&reply)).unwrap();
    assert_eq!(serializer.decode_metadata(&bytes).unwrap().1, Some(reply));
}

#[test]
fn text_that_is_empty_counts_as_none() {
    let serializer = Serializer::default();
    let trace = TraceContext::new(TRACEPARENT).unwrap();
    let metadata = Metadata::new()
        .with_correlation_id("")
        .with_causation_id("")
        .with_trace(trace.clone().with_tracestate(""));
    let bytes = serializer.encode_metadata(&metadata, None).unwrap();
    let expected = Metadata::new().with_trace(trace);
    assert_eq!(serializer.decode_metadata(&bytes).unwrap(), (expected, None));
    let nothing = Metadata::new().with_correlation_id("");
    assert!(serializer.encode_metadata(&nothing, None).unwrap().is_empty());
}

#[test]
fn a_decoded_reply_shares_the_bytes_it_was_read_from() {
    let serializer = Serializer::default();
    let bytes = serializer.encode_metadata(&full_metadata(), Some(&reply())).unwrap();
    let (_, reply) = serializer.decode_metadata(&bytes).unwrap();
    let range = bytes.as_ptr_range();
    assert!(range.contains(&reply.unwrap().payload.bytes.as_ptr()));
}

#[test]
fn fields_of_a_later_schema_are_ignored() {
    let serializer = Serializer::default();
    let mut bytes = serializer.encode_metadata(&full_metadata(), None).unwrap().to_vec();
    bytes.extend([0x98, 0x06, 0x07]); // field 99, a number
    bytes.extend([0xa2, 0x06, 0x02, b'h', b'i']); // field 100, text
    assert_eq!(serializer.decode_metadata(&bytes.into()).unwrap(), (full_metadata(), None));
}

#[test]
fn damage_says_what_is_wrong() {
    let stored = |command_id: &str, traceparent: &str| v1::EventMetadata {
        command_id: command_id.into(),
        traceparent: traceparent.into(),
        ..v1::EventMetadata::default()
    };
    let text = |error: MetadataError| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    assert_eq!(
        text(damaged(&stored(&"x".repeat(129), ""))),
        "the stored event metadata has an invalid command id: \
         a command id has at most 128 bytes, this one has 129"
    );
    assert_eq!(
        text(damaged(&stored("a\0b", ""))),
        "the stored event metadata has an invalid command id: a command id must not contain NUL"
    );
    assert_eq!(
        text(damaged(&stored("", "00-nonsense"))),
        "the stored event metadata has an invalid trace context: `00-nonsense` is not a W3C traceparent"
    );
    let reply = Some(v1::RecordedReply { command_manifest: "m".into(), ..Default::default() });
    assert_eq!(
        text(damaged(&v1::EventMetadata { reply, ..v1::EventMetadata::default() })),
        "the stored recorded reply lacks its payload"
    );
    let error = Serializer::default().decode_metadata(&Bytes::from_static(b"\xff")).unwrap_err();
    assert_eq!(error.to_string(), "the stored event metadata is damaged");
}

#[test]
fn metadata_may_be_as_large_as_its_limit_and_no_larger() {
    let metadata = Metadata::new().with_header("h", "x".repeat(100));
    let size = Serializer::default().encode_metadata(&metadata, None).unwrap().len();
    let limited = |max| Serializer::new(SizeLimits::default().with_metadata_bytes_max(max));
    assert!(limited(size).encode_metadata(&metadata, None).is_ok());
    let error = limited(size - 1).encode_metadata(&metadata, None).unwrap_err();
    assert!(
        matches!(error, EncodeError::MetadataTooLarge { bytes, max } if bytes == size && max == size - 1)
    );
    assert_eq!(error.to_string(), "the metadata has 107 bytes, it may have at most 106");
}

#[test]
fn a_recorded_reply_does_not_count_as_metadata() {
    let serializer = Serializer::new(SizeLimits::default().with_metadata_bytes_max(1));
    assert!(serializer.encode_metadata(&Metadata::new(), Some(&reply())).is_ok());
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    let headers = prop::collection::vec((".{0,20}", ".{0,200}"), 0..4);
    let ids = ("[^\0]{0,32}", "[^\0]{0,200}", ".{0,10}");
    (ids, any::<bool>(), ".{0,8}", headers).prop_map(
        |((command, correlation, causation), traced, state, headers)| {
            let mut metadata = Metadata::new();
            if let Ok(id) = CommandId::new(command) {
                metadata = metadata.with_command_id(id);
            }
            if !correlation.is_empty() {
                metadata = metadata.with_correlation_id(correlation);
            }
            if !causation.is_empty() {
                metadata = metadata.with_causation_id(causation);
            }
            if traced {
                let trace = TraceContext::new(TRACEPARENT).unwrap();
                let with_state = trace.clone().with_tracestate(state.as_str());
                metadata = metadata.with_trace(if state.is_empty() { trace } else { with_state });
            }
            headers
                .into_iter()
                .fold(metadata, |metadata, (name, value)| metadata.with_header(name, value))
        },
    )
}

pub(crate) fn any_reply() -> impl Strategy<Value = RecordedReply> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300);
    let of_command = (".{0,20}", any::<u32>(), any::<Option<u64>>(), any::<Option<u32>>());
    (of_command, "[a-z]{0,8}", ".{0,20}", any::<u32>(), bytes).prop_map(
        |((command, version, fingerprint, uptime), codec, manifest, schema_version, bytes)| {
            RecordedReply {
                command_manifest: command.into(),
                command_schema_version: version,
                command_fingerprint: fingerprint,
                uptime_seconds: uptime,
                payload: StoredPayload {
                    codec: codec.into(),
                    manifest: manifest.into(),
                    schema_version,
                    bytes: bytes.into(),
                },
            }
        },
    )
}

proptest! {
    #[test]
    fn metadata_comes_back_as_it_went_in(metadata in any_metadata(), reply in prop::option::of(any_reply())) {
        let serializer = Serializer::default();
        let bytes = serializer.encode_metadata(&metadata, reply.as_ref()).unwrap();
        prop_assert_eq!(serializer.decode_metadata(&bytes).unwrap(), (metadata, reply));
    }

    #[test]
    fn metadata_is_written_as_the_schema_has_it(metadata in any_metadata(), reply in prop::option::of(any_reply())) {
        let bytes = Serializer::default().encode_metadata(&metadata, reply.as_ref()).unwrap();
        let message = v1::EventMetadata::decode(bytes.clone()).unwrap();
        prop_assert_eq!(message.encode_to_vec(), bytes);
    }
}
