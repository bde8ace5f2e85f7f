//! What is refused, in which words.

use super::trip::{Checked, accepts, refusal};
use actum_persistence::codec::{Cbor, Json};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    lines: Vec<Line>,
    by_name: BTreeMap<String, Option<f32>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    price: f64,
    discount: Option<Option<u8>>,
}

fn order(price: f64, discount: Option<Option<u8>>, rate: f32) -> Order {
    let lines = vec![Line { price: 1.0, discount: None }, Line { price, discount }];
    Order { lines, by_name: BTreeMap::from([("secret".to_owned(), Some(rate))]) }
}

#[test]
fn json_has_no_form_for_floats_that_are_not_finite_and_says_where_they_are() {
    for price in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = refusal::<Json, _>(&order(price, None, 1.0));
        let expected = "`lines[].price` is a float that is not finite: it cannot be read back: invalid type, expected f64 at line 1 column ";
        assert!(text.starts_with(expected), "{text}");
        assert!(accepts::<Cbor, _>(&order(price, None, f32::NEG_INFINITY)));
    }
    let text = refusal::<Json, _>(&order(1.0, None, f32::INFINITY));
    assert_eq!(text, "`by_name[]` is a float that is not finite: it comes back as another value");
    assert!(refusal::<Json, _>(&f64::NAN).starts_with("the value is a float that is not finite: "));
}

#[test]
fn what_would_come_back_as_none_is_refused() {
    let text = refusal::<Json, _>(&order(1.0, Some(None), 1.0));
    let expected = "`lines[].discount` is a `Some` that is written like `None`: it comes back as another value";
    assert_eq!(text, expected);
    assert_eq!(refusal::<Cbor, _>(&order(1.0, Some(None), 1.0)), expected);
    assert!(accepts::<Json, _>(&order(1.0, Some(Some(3)), 1.0)));
    refusal::<Json, _>(&Some(()));
    refusal::<Cbor, _>(&Some(serde_json::Value::Null));
    refusal::<Json, _>(&Some(raw(&())));
    assert!(accepts::<Json, _>(&Some(raw(&5))));
}

#[derive(Debug, Serialize, Deserialize)]
struct Raw(Box<serde_json::value::RawValue>);

fn raw(value: &impl Serialize) -> Raw {
    Raw(serde_json::value::to_raw_value(value).unwrap())
}

#[test]
fn a_nan_keeps_its_bits_in_cbor_or_is_refused() {
    for bits in [f64::NAN.to_bits(), 0x7ff0_0000_0000_0001, 0xfff8_1234_5678_9abc] {
        let bytes = Cbor::encode(&f64::from_bits(bits)).unwrap();
        assert_eq!(Cbor::decode::<f64>(&bytes).unwrap().to_bits(), bits);
    }
    for bits in [f32::NAN.to_bits(), 0x7fc1_2345, 0xffc0_0000] {
        let bytes = Cbor::encode(&f32::from_bits(bits)).unwrap();
        assert_eq!(Cbor::decode::<f32>(&bytes).unwrap().to_bits(), bits);
    }
    // a signalling NaN becomes a quiet one on its way over 64 bits
    let text = Cbor::encode(&f32::from_bits(0x7f80_0001)).unwrap_err();
    assert!(text.starts_with("the value is a NaN of 32 bits with bits of its own: "), "{text}");
}

#[test]
fn what_is_in_doubt_and_comes_back_is_accepted_whatever_the_order_of_hash_maps() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Loose {
        #[serde(flatten)]
        rest: HashMap<String, i64>,
        by_number: HashMap<u64, HashSet<i128>>,
    }
    for n in 1..40 {
        let set: HashSet<i128> = (0..n).map(|i| i << 80).collect();
        let loose = Loose {
            rest: (0..n).map(|i| (i.to_string(), i as i64)).collect(),
            by_number: (0..n as u64).map(|i| (i, set.clone())).collect(),
        };
        Json::encode(&loose).unwrap();
        Cbor::encode(&loose).unwrap();
    }
}

#[test]
fn long_texts_and_byte_strings_come_back_to_every_reader() {
    for length in [4_095, 4_096, 4_097, 100_000] {
        let long = Borrowing("x".repeat(length));
        assert!(accepts::<Json, _>(&long) && accepts::<Cbor, _>(&long), "{length}");
    }
}

/// Asks for a text that it may borrow, which a decoder may have no room for.
#[derive(Debug)]
struct Borrowing(String);

impl Serialize for Borrowing {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Borrowing {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Borrowing;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Borrowing, E> {
                Ok(Borrowing(text.to_owned()))
            }
        }
        from.deserialize_str(Text)
    }
}

#[test]
fn a_refused_value_leaves_nothing_behind() {
    let mut out = b"before".to_vec();
    <Json as actum_model::Codec<f64>>::encode(&f64::NAN, &mut out).unwrap_err();
    <Json as actum_model::Codec<(u8, BTreeMap<(), u8>)>>::encode(
        &(1, BTreeMap::from([((), 1)])),
        &mut out,
    )
    .unwrap_err();
    assert_eq!(out, b"before");
}

/// A field that is written by no one is asked for when it is read.
#[derive(Debug, Serialize, Deserialize)]
struct OneWay {
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "only shown")]
    asked: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct TwoNames {
    #[serde(rename(serialize = "a", deserialize = "b"))]
    name: u8,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Ambiguous {
    Wide(u64),
    Narrow(u8),
}

#[test]
fn a_type_that_cannot_be_read_back_at_all_is_noticed_with_its_first_value() {
    assert_eq!(
        refusal::<Json, _>(&OneWay { asked: 1 }),
        "it cannot be read back: missing field `asked` at line 1 column 2"
    );
    assert_eq!(
        refusal::<Cbor, _>(&OneWay { asked: 1 }),
        "it cannot be read back: missing field `asked` at byte 1 of 1"
    );
    assert_eq!(
        refusal::<Json, _>(&TwoNames { name: 1 }),
        "it cannot be read back: missing field `b` at line 1 column 7"
    );
    for _ in 0..3 {
        assert_eq!(refusal::<Json, _>(&Ambiguous::Narrow(1)), "it comes back as another value");
    }
}
