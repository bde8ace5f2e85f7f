use crate::account::{Balance, Deposited, balance, deposited, opened};
use actum_model::{Codec, CodecError, DecodeError, Payload, StoredPayload};
use actum_persistence::{
    codec::Json,
    serializer::{EncodeError, Serializer, SizeLimits},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{error::Error, panic::catch_unwind};

#[test]
fn the_serializer_writes_what_the_model_would() {
    let serializer = Serializer::default();
    assert_eq!(serializer.encode(&opened()).unwrap(), StoredPayload::encode(&opened()).unwrap());
    assert_eq!(serializer.encode(&balance()).unwrap(), StoredPayload::encode(&balance()).unwrap());
    let stored = serializer.encode(&deposited()).unwrap();
    assert_eq!(stored, StoredPayload::encode(&deposited()).unwrap());
    assert_eq!(serializer.decode::<Deposited>(&stored).unwrap(), deposited());
}

#[test]
fn a_payload_may_be_as_large_as_its_limit_and_no_larger() {
    let size = Serializer::default().encode(&opened()).unwrap().bytes.len();
    let limited = |max| Serializer::new(SizeLimits::default().with_payload_bytes_max(max));
    assert!(limited(size).encode(&opened()).is_ok());
    let error = limited(size - 1).encode(&opened()).unwrap_err();
    assert!(matches!(error, EncodeError::TooLarge { manifest: "account.opened", .. }), "{error:?}");
    let expected =
        format!("`account.opened` has {size} bytes, a payload may have at most {}", size - 1);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn payloads_of_any_size_come_back() {
    let serializer = Serializer::default();
    for size in [0, 1, 127, 128, 65_535, 65_536, 65_537, 1 << 20] {
        let value = "x".repeat(size);
        let stored = serializer.encode(&value).unwrap();
        assert_eq!(stored.bytes.len(), size);
        assert_eq!(serializer.decode::<String>(&stored).unwrap(), value);
    }
}

#[test]
fn former_schema_versions_are_lifted_on_the_way_in() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Renamed {
        holder: String,
    }
    impl Payload for Renamed {
        type Codec = Json;
        const MANIFEST: &'static str = "account.renamed";
        const SCHEMA_VERSION: u32 = 2;
        fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
            match stored.schema_version {
                1 => Ok(Self { holder: stored.decode_as::<String, Json>()? }),
                _ => Err(stored.unreadable::<Self>()),
            }
        }
    }
    let stored = |schema_version| StoredPayload {
        codec: "json".into(),
        manifest: "account.renamed".into(),
        schema_version,
        bytes: Bytes::from_static(b"\"Ada\""),
    };
    let serializer = Serializer::default();
    assert_eq!(serializer.decode::<Renamed>(&stored(1)).unwrap().holder, "Ada");
    let newer = serializer.decode::<Renamed>(&stored(3)).unwrap_err();
    assert!(matches!(newer, DecodeError::NewerSchema { version: 3, known: 2, .. }), "{newer:?}");
}

#[test]
fn a_payload_of_another_type_is_refused() {
    let serializer = Serializer::default();
    let stored = serializer.encode(&opened()).unwrap();
    let error = serializer.decode::<Balance>(&stored).unwrap_err();
    assert!(matches!(error, DecodeError::UnknownManifest { .. }), "{error:?}");
}

/// A codec made of functions, for what no real one does.
enum Scripted {}

struct Value {
    manifest: &'static str,
    encode: fn(&mut Vec<u8>) -> Result<(), CodecError>,
}

impl Codec<Value> for Scripted {
    const NAME: &'static str = "scripted";
    fn encode(value: &Value, out: &mut Vec<u8>) -> Result<(), CodecError> {
        (value.encode)(out)
    }
    fn decode(_: &[u8]) -> Result<Value, CodecError> {
        Err(CodecError::new("only written"))
    }
}

impl Payload for Value {
    type Codec = Scripted;
    const MANIFEST: &'static str = "value";
    fn manifest(&self) -> &'static str {
        self.manifest
    }
}

#[test]
fn a_manifest_that_could_never_be_read_back_is_not_written() {
    let value = Value { manifest: "valued", encode: |_| Ok(()) };
    let error = Serializer::default().encode(&value).unwrap_err();
    assert_eq!(error.to_string(), "`valued` cannot be encoded");
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the stored manifest is `valued`, expected `value`");
    let variant = Value { manifest: "value.small", ..value };
    assert_eq!(Serializer::default().encode(&variant).unwrap().manifest, "value.small");
}

#[test]
fn a_codec_that_fails_is_named_with_its_value() {
    let value = Value { manifest: "value", encode: |_| Err(CodecError::new("no room for zero")) };
    let error = Serializer::default().encode(&value).unwrap_err();
    assert!(matches!(error, EncodeError::Codec { manifest: "value", .. }), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "no room for zero");
}

#[test]
fn a_codec_may_serialize_inside_of_serializing() {
    let outer = Value {
        manifest: "value",
        encode: |out| {
            out.extend(b"before ");
            let inner =
                Serializer::default().encode(&"inner".to_owned()).map_err(CodecError::new)?;
            out.extend_from_slice(&inner.bytes);
            out.extend(b" after");
            Ok(())
        },
    };
    let stored = Serializer::default().encode(&outer).unwrap();
    assert_eq!(&stored.bytes[..], b"before inner after");
}

#[test]
fn what_a_failed_codec_left_behind_is_in_no_later_payload() {
    let serializer = Serializer::default();
    let failing = |out: &mut Vec<u8>| {
        out.extend(b"left behind");
        Err(CodecError::new("failed"))
    };
    assert!(serializer.encode(&Value { manifest: "value", encode: failing }).is_err());
    assert_eq!(&serializer.encode(&"later".to_owned()).unwrap().bytes[..], b"later");

    let panicking = |out: &mut Vec<u8>| {
        out.extend(b"left behind");
        panic!("the codec panics")
    };
    let value = Value { manifest: "value", encode: panicking };
    assert!(catch_unwind(|| serializer.encode(&value).map(drop)).is_err());
    assert_eq!(&serializer.encode(&"later".to_owned()).unwrap().bytes[..], b"later");
}
