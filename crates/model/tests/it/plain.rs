//! The codecs of plain values and of collections.

use actum_model::{DecodeError, Each, NoEvents, Payload, Plain, StoredPayload};
use proptest::{
    collection::vec,
    prelude::{any, proptest},
};
use std::{convert::Infallible, error::Error, fmt::Debug};
use uuid::Uuid;

fn round_trip<T: Payload + Debug>(value: &T) {
    let stored = StoredPayload::encode(value).unwrap();
    let back: T = stored.decode().unwrap();
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
    assert_eq!(StoredPayload::encode(&back).unwrap(), stored);
}

/// Decodes `bytes` as a `T`: an error or a value that writes the same bytes, never a panic.
fn damaged<T: Payload + Debug>(bytes: &[u8]) {
    use actum_model::Codec;
    if let Ok(value) = T::Codec::decode(bytes) {
        let mut out = Vec::new();
        T::Codec::encode(&value, &mut out).unwrap();
        assert_eq!(out, bytes, "{value:?} was read from other bytes than it writes");
    }
}

/// As [`damaged`], for collections: their elements may have been lifted from another format, so the value may write
/// other bytes.
fn damaged_collection<T: Payload + Debug>(bytes: &[u8]) {
    use actum_model::Codec;
    let _ = T::Codec::decode(bytes).map(|value| round_trip(&value));
}

fn bytes_of<T: Payload>(value: &T) -> Vec<u8> {
    StoredPayload::encode(value).unwrap().bytes.to_vec()
}

#[test]
fn plain_values_have_the_bytes_they_are_documented_to_have() {
    assert_eq!(bytes_of(&0x0102_0304u32), [4, 3, 2, 1]);
    assert_eq!(bytes_of(&-2i16), [0xfe, 0xff]);
    assert_eq!(bytes_of(&1.5f64), 1.5f64.to_bits().to_le_bytes());
    assert_eq!(bytes_of(&()), b"");
    assert_eq!((bytes_of(&true), bytes_of(&false)), (vec![1], vec![0]));
    assert_eq!(bytes_of(&String::from("é")), "é".as_bytes());
    assert_eq!(bytes_of(&Uuid::from_u128(1)), 1u128.to_be_bytes());
}

#[test]
fn collections_have_the_bytes_they_are_documented_to_have() {
    let one = b"\x05plain\x02u8\x01\0\0\0\x01\0\0\0\x07";
    assert_eq!(bytes_of(&vec![7u8]), one);
    assert_eq!(bytes_of(&Some(7u8)), one);
    assert_eq!(bytes_of(&vec![7u8; 2]), [&one[..], &one[..]].concat());
    assert_eq!((bytes_of(&Vec::<u8>::new()), bytes_of(&None::<u8>)), (vec![], vec![]));
}

#[test]
fn manifests_of_plain_values_never_change() {
    let stored = |s: StoredPayload| format!("{} {} {}", s.codec, s.manifest, s.schema_version);
    assert_eq!(stored(StoredPayload::encode(&()).unwrap()), "plain unit 1");
    assert_eq!(stored(StoredPayload::encode(&true).unwrap()), "plain bool 1");
    assert_eq!(stored(StoredPayload::encode(&String::new()).unwrap()), "plain text 1");
    assert_eq!(stored(StoredPayload::encode(&Uuid::nil()).unwrap()), "plain uuid 1");
    assert_eq!(stored(StoredPayload::encode(&1i128).unwrap()), "plain i128 1");
    assert_eq!(stored(StoredPayload::encode(&1f32).unwrap()), "plain f32 1");
    assert_eq!(stored(StoredPayload::encode(&vec![1u8]).unwrap()), "each list 1");
    assert_eq!(stored(StoredPayload::encode(&Some(1u8)).unwrap()), "each option 1");
    assert_eq!(<Infallible as Payload>::MANIFEST, "infallible");
    assert_eq!(<NoEvents as Payload>::MANIFEST, "none");
}

#[test]
fn numbers_are_distinguished_by_their_manifest() {
    let error = StoredPayload::encode(&1u64).unwrap().decode::<i64>().unwrap_err();
    assert!(matches!(error, DecodeError::UnknownManifest { .. }), "{error:?}");
}

#[test]
fn extreme_values_survive() {
    round_trip(&f64::NAN);
    round_trip(&-0.0f32);
    round_trip(&f64::NEG_INFINITY);
    round_trip(&i128::MIN);
    round_trip(&u128::MAX);
    round_trip(&String::from("\0\u{10ffff}"));
    round_trip(&vec![(); 1000]);
    round_trip(&Some(None::<()>));
    round_trip(&Some(Some(())));
    round_trip(&vec![vec![], vec![Some(String::new()), None]]);
}

#[test]
fn what_never_happens_never_decodes() {
    let stored = |manifest: &'static str, codec: &'static str| StoredPayload {
        codec: codec.into(),
        manifest: manifest.into(),
        schema_version: 1,
        bytes: "".into(),
    };
    assert!(stored("infallible", "plain").decode::<Infallible>().is_err());
    assert!(stored("none", "none").decode::<NoEvents>().is_err());
}

#[test]
fn elements_evolve_like_any_payload() {
    /// Version 2 of an element whose version 1 held half of the number.
    #[derive(Debug)]
    struct Doubled(u64);
    impl actum_model::Codec<Doubled> for Plain {
        const NAME: &'static str = "plain";
        fn encode(value: &Doubled, out: &mut Vec<u8>) -> Result<(), actum_model::CodecError> {
            <Plain as actum_model::Codec<u64>>::encode(&value.0, out)
        }
        fn decode(bytes: &[u8]) -> Result<Doubled, actum_model::CodecError> {
            <Plain as actum_model::Codec<u64>>::decode(bytes).map(Doubled)
        }
    }
    impl Payload for Doubled {
        type Codec = Plain;
        const MANIFEST: &'static str = "u64";
        const SCHEMA_VERSION: u32 = 2;
        fn upcast(stored: &StoredPayload) -> Result<Self, DecodeError> {
            stored.decode_as::<u64, Plain>().map(|half| Self(half * 2))
        }
    }
    let old = StoredPayload::encode(&vec![4u64, 5]).unwrap();
    let new: Vec<u64> = old.decode::<Vec<Doubled>>().unwrap().iter().map(|d| d.0).collect();
    assert_eq!(new, [8, 10]);
    let newer = StoredPayload::encode(&Some(Doubled(1))).unwrap();
    let error = newer.decode::<Option<u64>>().unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("schema version 2, this program knows up to 1"), "{cause}");
}

#[test]
fn every_cut_of_a_collection_is_an_error() {
    let whole = bytes_of(&vec![String::from("abc")]);
    for cut in 1..whole.len() {
        assert!(
            <Each as actum_model::Codec<Vec<String>>>::decode(&whole[..cut]).is_err(),
            "cut at {cut}"
        );
    }
}

#[test]
fn two_values_are_no_option() {
    let two = bytes_of(&vec![1u8, 2]);
    assert!(<Each as actum_model::Codec<Option<u8>>>::decode(&two).is_err());
}

proptest! {
    #[test]
    fn numbers_survive(a in any::<u8>(), b in any::<u16>(), c in any::<u32>(), d in any::<u64>(), e in any::<u128>()) {
        round_trip(&a); round_trip(&b); round_trip(&c); round_trip(&d); round_trip(&e);
        round_trip(&(a as i8)); round_trip(&(b as i16)); round_trip(&(c as i32));
        round_trip(&(d as i64)); round_trip(&(e as i128));
        round_trip(&f32::from_bits(c)); round_trip(&f64::from_bits(d));
    }

    #[test]
    fn text_and_collections_survive(text in any::<String>(), many in vec(any::<Option<String>>(), 0..20), uuid in any::<u128>()) {
        round_trip(&text);
        round_trip(&many);
        round_trip(&Uuid::from_u128(uuid));
        round_trip(&Some(many));
    }

    #[test]
    fn damaged_bytes_of_plain_values_never_panic(bytes in vec(any::<u8>(), 0..24)) {
        damaged::<u8>(&bytes); damaged::<u16>(&bytes); damaged::<u32>(&bytes); damaged::<u64>(&bytes);
        damaged::<i8>(&bytes); damaged::<i128>(&bytes); damaged::<bool>(&bytes); damaged::<()>(&bytes);
        damaged::<String>(&bytes); damaged::<Uuid>(&bytes); damaged::<Infallible>(&bytes);
        damaged::<NoEvents>(&bytes); damaged_collection::<Vec<u8>>(&bytes);
    }

    #[test]
    fn damaged_bytes_of_collections_never_panic(
        values in vec(any::<Option<u16>>(), 1..6),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = bytes_of(&values);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(1 + cut.index(bytes.len()));
        damaged_collection::<Vec<Option<u16>>>(&bytes);
        damaged_collection::<Option<Vec<u16>>>(&bytes);
        damaged_collection::<Vec<String>>(&bytes);
    }
}
