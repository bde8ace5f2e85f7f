use actum_model::{Codec, CodecError, DecodeError, Payload, Plain, StoredPayload};
use std::{borrow::Cow, error::Error};

/// An event with two variants, now in schema version 3; version 1 was text, version 2 had another codec.
#[derive(Debug, PartialEq)]
enum Event {
    Opened(u8),
    Closed,
}

/// Writes [`Event`] as one or two bytes.
enum Tiny {}

impl Codec<Event> for Tiny {
    const NAME: &'static str = "tiny";
    fn encode(value: &Event, out: &mut Vec<u8>) -> Result<(), CodecError> {
        match value {
            Event::Opened(0) => return Err(CodecError::new("zero has no encoding")),
            Event::Opened(n) => out.extend([0, *n]),
            Event::Closed => out.push(1),
        }
        Ok(())
    }
    fn decode(bytes: &[u8]) -> Result<Event, CodecError> {
        match bytes {
            [0, n] => Ok(Event::Opened(*n)),
            [1] => Ok(Event::Closed),
            _ => Err(CodecError::new("neither opened nor closed")),
        }
    }
}

impl Payload for Event {
    type Codec = Tiny;
    const MANIFEST: &'static str = "account";
    const SCHEMA_VERSION: u32 = 3;

    fn manifest(&self) -> &'static str {
        match self {
            Self::Opened(_) => "account.opened",
            Self::Closed => "account.closed",
        }
    }

    fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
        match (&*stored.manifest, stored.schema_version, &*stored.codec) {
            ("account.opened" | "acct.open", 1, "plain") => {
                let text = stored.decode_as::<String, Plain>()?;
                Ok(Event::Opened(text.len() as u8))
            }
            ("account.opened", 3, "plain") => Ok(Event::Opened(stored.decode_as::<u8, Plain>()?)),
            _ => Err(stored.unreadable::<Self>()),
        }
    }
}

fn stored(
    manifest: &'static str,
    schema_version: u32,
    codec: &'static str,
    bytes: &'static [u8],
) -> StoredPayload {
    StoredPayload {
        codec: Cow::Borrowed(codec),
        manifest: Cow::Borrowed(manifest),
        schema_version,
        bytes: bytes.into(),
    }
}

fn error_of(stored: &StoredPayload) -> DecodeError {
    stored.decode::<Event>().unwrap_err()
}

#[test]
fn a_payload_is_stored_with_codec_manifest_of_its_variant_and_version() {
    let opened = StoredPayload::encode(&Event::Opened(9)).unwrap();
    assert_eq!(opened, stored("account.opened", 3, "tiny", &[0, 9]));
    assert_eq!(opened.decode::<Event>().unwrap(), Event::Opened(9));
    let closed = StoredPayload::encode(&Event::Closed).unwrap();
    assert_eq!(closed, stored("account.closed", 3, "tiny", &[1]));
    assert_eq!(closed.decode::<Event>().unwrap(), Event::Closed);
}

#[test]
fn the_bare_manifest_and_unknown_variants_are_of_the_type() {
    // whether a variant exists is the codec's to know, not the manifest's
    for manifest in ["account", "account.opened", "account.reopened", "account.a.b", "account."] {
        assert_eq!(
            stored(manifest, 3, "tiny", &[0, 9]).decode::<Event>().unwrap(),
            Event::Opened(9)
        );
    }
}

#[test]
fn a_manifest_that_only_shares_a_prefix_is_another_type() {
    for manifest in [
        "accounts",
        "account-opened",
        "account/opened",
        "accoun",
        "",
        "Account",
        " account",
        "account\0",
    ] {
        let error = error_of(&stored(manifest, 3, "tiny", &[0, 9]));
        assert!(
            matches!(&error, DecodeError::UnknownManifest { manifest: m, expected: "account" } if m == manifest),
            "{manifest}: {error:?}"
        );
    }
}

#[test]
fn an_older_schema_goes_through_upcast() {
    assert_eq!(
        stored("account.opened", 1, "plain", b"abc").decode::<Event>().unwrap(),
        Event::Opened(3)
    );
}

#[test]
fn a_former_manifest_goes_through_upcast() {
    assert_eq!(stored("acct.open", 1, "plain", b"ab").decode::<Event>().unwrap(), Event::Opened(2));
}

#[test]
fn another_codec_goes_through_upcast_even_in_the_same_schema() {
    assert_eq!(
        stored("account.opened", 3, "plain", &[7]).decode::<Event>().unwrap(),
        Event::Opened(7)
    );
}

#[test]
fn an_older_schema_that_nothing_lifts_is_named() {
    for version in [0, 2] {
        let error = error_of(&stored("account.closed", version, "tiny", &[1]));
        assert!(matches!(error, DecodeError::OlderSchema { known: 3, .. }), "{error:?}");
        let message = format!(
            "`account.closed` is stored in schema version {version}, and nothing lifts it to 3: write `upcast`"
        );
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_newer_schema_is_refused_before_upcast_sees_it() {
    struct Lenient;
    impl Codec<Lenient> for Tiny {
        const NAME: &'static str = "tiny";
        fn encode(_: &Lenient, _: &mut Vec<u8>) -> Result<(), CodecError> {
            Ok(())
        }
        fn decode(_: &[u8]) -> Result<Lenient, CodecError> {
            Ok(Lenient)
        }
    }
    impl Payload for Lenient {
        type Codec = Tiny;
        const MANIFEST: &'static str = "lenient";
        fn upcast(_: &StoredPayload) -> Result<Self, DecodeError> {
            Ok(Lenient)
        }
    }
    for version in [2, u32::MAX] {
        let error =
            stored("lenient", version, "tiny", b"").decode::<Lenient>().map(|_| ()).unwrap_err();
        let message =
            format!("`lenient` is stored in schema version {version}, this program knows up to 1");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn another_codec_that_nothing_reads_is_named() {
    let error = error_of(&stored("account.closed", 3, "json", b"{}"));
    assert!(matches!(error, DecodeError::UnknownCodec { expected: "tiny", .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "`account.closed` is stored with the codec `json`, expected `tiny`"
    );
}

#[test]
fn damaged_bytes_are_named_with_their_cause() {
    let error = error_of(&stored("account.closed", 3, "tiny", &[1, 1]));
    assert!(matches!(error, DecodeError::Damaged { codec: "tiny", version: 3, .. }), "{error:?}");
    assert_eq!(error.to_string(), "`account.closed`, schema version 3, is not valid tiny");
    assert_eq!(error.source().unwrap().to_string(), "neither opened nor closed");
}

#[test]
fn an_upcast_over_damaged_bytes_names_the_codec_that_failed() {
    let error = error_of(&stored("account.opened", 1, "plain", &[0xff]));
    assert!(matches!(error, DecodeError::Damaged { codec: "plain", version: 1, .. }), "{error:?}");
}

#[test]
fn unreadable_without_any_upcast_is_the_default() {
    let mut payload = StoredPayload::encode(&7u64).unwrap();
    payload.codec = "json".into();
    let error = payload.decode::<u64>().unwrap_err();
    assert!(matches!(error, DecodeError::UnknownCodec { expected: "plain", .. }), "{error:?}");
    payload.schema_version = 0;
    assert!(matches!(payload.decode::<u64>().unwrap_err(), DecodeError::OlderSchema { .. }));
    payload.manifest = "u32".into();
    assert!(matches!(payload.decode::<u64>().unwrap_err(), DecodeError::UnknownManifest { .. }));
}

#[test]
fn a_value_without_an_encoding_is_an_error() {
    let error = StoredPayload::encode(&Event::Opened(0)).unwrap_err();
    assert_eq!(error.to_string(), "zero has no encoding");
}

#[test]
fn a_manifest_outside_its_type_is_not_written() {
    #[derive(Debug)]
    struct Stray(&'static str);
    impl Codec<Stray> for Tiny {
        const NAME: &'static str = "tiny";
        fn encode(_: &Stray, _: &mut Vec<u8>) -> Result<(), CodecError> {
            Ok(())
        }
        fn decode(_: &[u8]) -> Result<Stray, CodecError> {
            Ok(Stray("stray"))
        }
    }
    impl Payload for Stray {
        type Codec = Tiny;
        const MANIFEST: &'static str = "stray";
        fn manifest(&self) -> &'static str {
            self.0
        }
    }
    assert!(StoredPayload::encode(&Stray("stray.a")).is_ok());
    for manifest in ["strayed", "other", ""] {
        let error = StoredPayload::encode(&Stray(manifest)).unwrap_err();
        let message = format!("the manifest `{manifest}` is neither `stray` nor `stray.…`");
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn payloads_are_named_one_line_each() {
    #[derive(Debug)]
    struct A;
    #[derive(Debug)]
    struct B;
    macro_rules! empty {
        ($($t:ident)*) => { $(
            impl Codec<$t> for Tiny {
                const NAME: &'static str = "tiny";
                fn encode(_: &$t, _: &mut Vec<u8>) -> Result<(), CodecError> {
                    Ok(())
                }
                fn decode(_: &[u8]) -> Result<$t, CodecError> {
                    Ok($t)
                }
            }
        )* };
    }
    empty! { A B }
    actum_model::payload!(Tiny: A = "a", B = "b" version 4);
    let named = |stored: StoredPayload| (stored.manifest, stored.schema_version);
    assert_eq!(named(StoredPayload::encode(&A).unwrap()), ("a".into(), 1));
    assert_eq!(named(StoredPayload::encode(&B).unwrap()), ("b".into(), 4));
}
