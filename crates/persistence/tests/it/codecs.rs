use crate::account::{
    Balance, Change, Deposited, Opened, any_balance, any_deposited, any_opened, balance, deposited,
    opened,
};
use actum_model::{Codec, CodecError, DecodeError, StoredPayload};
use actum_persistence::codec::{Cbor, Json, Prost};
use proptest::{prop_assert_eq, proptest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn encode<C: Codec<T>, T>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    C::encode(value, &mut bytes).map(|()| bytes)
}

#[test]
fn serde_and_prost_types_live_side_by_side() {
    let stored = [
        StoredPayload::encode(&opened()).unwrap(),
        StoredPayload::encode(&balance()).unwrap(),
        StoredPayload::encode(&deposited()).unwrap(),
    ];
    assert_eq!(stored.each_ref().map(|payload| &*payload.codec), ["json", "cbor", "prost"]);
    assert_eq!(stored[0].decode::<Opened>().unwrap(), opened());
    assert_eq!(stored[1].decode::<Balance>().unwrap(), balance());
    assert_eq!(stored[2].decode::<Deposited>().unwrap(), deposited());
}

#[test]
fn encoding_appends_to_what_is_there() {
    let mut out = b"before".to_vec();
    Json::encode(&1u8, &mut out).unwrap();
    Cbor::encode(&1u8, &mut out).unwrap();
    Prost::encode(&Deposited { cents: 1, ..Deposited::default() }, &mut out).unwrap();
    assert_eq!(out, b"before1\x01\x08\x01");
}

#[test]
fn json_is_compact_text() {
    let text = encode::<Json, _>(&opened()).unwrap();
    let expected = r#"{"owner":"Zoë \"zz\" 山","limit":-1,"tags":["a",""],"rate":0.1}"#;
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn bytes_behind_a_json_value_are_an_error() {
    for tail in ["x", "{}", "null", ",", "\0"] {
        let mut bytes = encode::<Json, _>(&opened()).unwrap();
        bytes.extend_from_slice(tail.as_bytes());
        assert!(<Json as Codec<Opened>>::decode(&bytes).is_err(), "{tail:?} went unnoticed");
    }
}

#[test]
fn bytes_behind_a_cbor_value_are_an_error() {
    for tail in 0..=u8::MAX {
        let mut bytes = encode::<Cbor, _>(&balance()).unwrap();
        bytes.push(tail);
        assert!(<Cbor as Codec<Balance>>::decode(&bytes).is_err(), "{tail} went unnoticed");
    }
    let mut bytes = encode::<Cbor, _>(&5u8).unwrap();
    bytes.extend([1, 2, 3]);
    let error = <Cbor as Codec<u8>>::decode(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "3 bytes follow the value");
}

#[test]
fn bytes_behind_a_prost_message_are_an_error_unless_they_are_fields() {
    let bytes = encode::<Prost, _>(&deposited()).unwrap();
    let with = |tail: &[u8]| <Prost as Codec<Deposited>>::decode(&[&bytes, tail].concat());
    assert!(with(&[0]).is_err(), "field number 0");
    assert!(with(&[0x0a]).is_err(), "a key without a value");
    assert!(with(&[0x0f, 1]).is_err(), "a wire type that does not exist");
    assert_eq!(with(&[0x98, 0x06, 0x07]).unwrap(), deposited(), "field 99 is of a later schema");
}

#[test]
fn a_value_cut_short_is_an_error() {
    let (json, cbor) =
        (encode::<Json, _>(&opened()).unwrap(), encode::<Cbor, _>(&balance()).unwrap());
    for end in 0..json.len() {
        assert!(<Json as Codec<Opened>>::decode(&json[..end]).is_err(), "json cut at {end}");
    }
    for end in 0..cbor.len() {
        assert!(<Cbor as Codec<Balance>>::decode(&cbor[..end]).is_err(), "cbor cut at {end}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_does_not_overflow_the_stack() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Nested(Vec<Nested>);

    let json = "[".repeat(1_000_000);
    assert!(<Json as Codec<Nested>>::decode(json.as_bytes()).is_err());
    let cbor = vec![0x81; 1_000_000];
    assert!(<Cbor as Codec<Nested>>::decode(&cbor).is_err());
}

#[test]
fn a_claimed_length_is_not_believed() {
    for major in [0x5b, 0x7b, 0x9b, 0xbb] {
        let bytes = [&[major], &[0xff; 8][..]].concat();
        let claims = allocation_counter::measure(|| {
            assert!(<Cbor as Codec<String>>::decode(&bytes).is_err());
            assert!(<Cbor as Codec<Vec<u64>>>::decode(&bytes).is_err());
        });
        // serde lets a list start with room for 1 MiB
        assert!(claims.bytes_max <= 1 << 20, "allocated {} bytes", claims.bytes_max);
    }
}

#[test]
fn damage_is_reported_with_its_cause() {
    let stored = StoredPayload {
        bytes: "{\"owner\":1}".into(),
        ..StoredPayload::encode(&opened()).unwrap()
    };
    let error = stored.decode::<Opened>().unwrap_err();
    assert_eq!(error.to_string(), "`account.opened`, schema version 1, is not valid json");
    let DecodeError::Damaged { source, .. } = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("expected a string"), "{source}");
}

#[test]
fn a_value_that_json_cannot_hold_is_an_error() {
    let error = encode::<Json, _>(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
    assert_eq!(error.to_string(), "key must be a string");
}

#[test]
fn enums_keep_their_variants_in_each_codec() {
    for change in balance().history.into_iter().map(|(_, change)| change) {
        let json = encode::<Json, _>(&change).unwrap();
        assert_eq!(<Json as Codec<Change>>::decode(&json).unwrap(), change);
        let cbor = encode::<Cbor, _>(&change).unwrap();
        assert_eq!(<Cbor as Codec<Change>>::decode(&cbor).unwrap(), change);
    }
}

proptest! {
    #[test]
    fn json_brings_back_what_went_in(value in any_opened()) {
        let bytes = encode::<Json, _>(&value).unwrap();
        let back = <Json as Codec<Opened>>::decode(&bytes).unwrap();
        prop_assert_eq!(back.rate.to_bits(), value.rate.to_bits());
        prop_assert_eq!(back, value);
    }

    #[test]
    fn cbor_brings_back_what_went_in(value in any_balance()) {
        let bytes = encode::<Cbor, _>(&value).unwrap();
        prop_assert_eq!(<Cbor as Codec<Balance>>::decode(&bytes).unwrap(), value);
    }

    #[test]
    fn prost_brings_back_what_went_in(value in any_deposited()) {
        let bytes = encode::<Prost, _>(&value).unwrap();
        prop_assert_eq!(<Prost as Codec<Deposited>>::decode(&bytes).unwrap(), value);
    }
}

#[test]
fn what_a_type_refuses_is_not_quoted() {
    fn assert_unquoted<C: Codec<String> + Codec<bool> + Codec<Choice>>() {
        let bytes = encode::<C, String>(&"hunter2".to_owned()).unwrap();
        let errors = [
            <C as Codec<bool>>::decode(&bytes).unwrap_err(),
            <C as Codec<Choice>>::decode(&bytes).unwrap_err(),
        ];
        for error in errors {
            let text = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    assert_unquoted::<Json>();
    assert_unquoted::<Cbor>();
}

#[derive(Debug, Serialize, Deserialize)]
enum Choice {
    One,
}
