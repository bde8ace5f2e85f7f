//! Random values of all the shapes that serde has.

use super::trip::accepts;
use actum_persistence::codec::{Cbor, Json};
use proptest::{
    prelude::{BoxedStrategy, Just, Strategy, any, prop},
    prop_oneof, proptest,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Shape {
    Nothing,
    Unit(()),
    Marker(Marker),
    Float(f64),
    Narrow(f32),
    Signed(i64),
    Unsigned(u64),
    Wide(i128),
    Unsigned128(u128),
    Letter(char),
    Text(String),
    List(Vec<Shape>),
    Optional(Option<Box<Shape>>),
    OfOption(Option<Option<u8>>),
    OfUnit(Option<Marker>),
    OfFloat(Option<f64>),
    Pair(Box<Shape>, Box<Shape>),
    Record { a: Box<Shape>, b: Option<f32> },
    ByText(BTreeMap<String, Shape>),
    ByNumber(BTreeMap<i64, Shape>),
    ByWide(BTreeMap<u128, u8>),
    ByLetter(BTreeMap<char, bool>),
    ByBool(BTreeMap<bool, u8>),
    ByPair(BTreeMap<(u8, u8), u8>),
    Set(BTreeSet<i128>),
    Flat(Flat),
    Tagged(Tagged),
    Adjacent(Adjacent),
    Untagged(Untagged),
    Skipping(Skipping),
    Doubled(Doubled),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Marker;

/// Flattened fields, beside one whose name they may have too.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    part: Part,
    #[serde(flatten)]
    maybe: Option<Amount>,
    #[serde(flatten)]
    rest: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Part {
    rate: f32,
    counts: BTreeMap<u8, u8>,
    note: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Amount {
    cents: i128,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    Empty,
    Amount(Amount),
    Rest(BTreeMap<String, u64>),
    Fields { nr: u64, wide: u128, pairs: BTreeMap<u16, f64> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Empty,
    Amount(Amount),
    Pair(f64, Option<Option<bool>>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
    Amount(Amount),
    Float { f: f64 },
    Wide(i128),
    List(Vec<u8>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Skipping {
    #[serde(skip_serializing_if = "Option::is_none")]
    fine: Option<u8>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    with_default: Vec<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<u8>,
}

/// Keeps `Some(None)` apart from `None`, in the way that is usual with serde.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Doubled {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    change: Option<Option<u8>>,
    #[serde(deserialize_with = "null_is_nan")]
    rate: f64,
}

fn some<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<u8>>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

fn null_is_nan<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => any::<f64>(), 1 => prop::num::f64::ANY, 1 => Just(-0.0), 1 => Just(f64::MAX)]
}

fn narrow() -> impl Strategy<Value = f32> {
    prop_oneof![3 => prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL, 1 => Just(f32::INFINITY), 1 => Just(-0.0)]
}

fn wide() -> impl Strategy<Value = i128> {
    prop_oneof![any::<i64>().prop_map(i128::from), any::<u64>().prop_map(i128::from), any::<i128>()]
}

fn unsigned() -> impl Strategy<Value = u128> {
    prop_oneof![any::<u64>().prop_map(u128::from), any::<u128>()]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("id".to_owned()),
        Just("type".to_owned()),
        Just("cents".to_owned()),
        any::<String>()
    ]
}

fn rest() -> impl Strategy<Value = BTreeMap<String, u64>> {
    prop::collection::btree_map(names(), any::<u64>(), 0..3)
}

fn amount() -> impl Strategy<Value = Amount> {
    wide().prop_map(|cents| Amount { cents })
}

fn flat() -> impl Strategy<Value = Flat> {
    let counts = prop_oneof![
        3 => Just(BTreeMap::new()),
        1 => prop::collection::btree_map(any::<u8>(), any::<u8>(), 0..3)
    ];
    let part = (narrow(), counts, any::<Option<String>>()).prop_map(|(rate, counts, note)| Part {
        rate,
        counts,
        note,
    });
    let maybe = prop_oneof![3 => Just(None), 1 => amount().prop_map(Some)];
    (any::<u8>(), part, maybe, rest()).prop_map(|(id, part, maybe, rest)| Flat {
        id,
        part,
        maybe,
        rest,
    })
}

fn tagged() -> impl Strategy<Value = Tagged> {
    let pairs = prop::collection::btree_map(any::<u16>(), number(), 0..2);
    prop_oneof![
        Just(Tagged::Empty),
        amount().prop_map(Tagged::Amount),
        rest().prop_map(Tagged::Rest),
        (any::<u64>(), unsigned(), pairs).prop_map(|(nr, wide, pairs)| Tagged::Fields {
            nr,
            wide,
            pairs
        }),
    ]
}

fn adjacent() -> impl Strategy<Value = Adjacent> {
    prop_oneof![
        Just(Adjacent::Empty),
        amount().prop_map(Adjacent::Amount),
        (number(), any::<Option<Option<bool>>>()).prop_map(|(f, b)| Adjacent::Pair(f, b)),
    ]
}

fn untagged() -> impl Strategy<Value = Untagged> {
    prop_oneof![
        any::<u64>().prop_map(Untagged::Number),
        any::<String>().prop_map(Untagged::Text),
        amount().prop_map(Untagged::Amount),
        number().prop_map(|f| Untagged::Float { f }),
        wide().prop_map(Untagged::Wide),
        any::<Vec<u8>>().prop_map(Untagged::List),
    ]
}

fn skipping() -> impl Strategy<Value = Skipping> {
    (any::<Option<u8>>(), any::<bool>(), any::<bool>()).prop_map(|(fine, a, b)| Skipping {
        fine,
        with_default: if a { vec![1] } else { vec![] },
        without: if b { vec![2] } else { vec![] },
    })
}

fn leaf() -> BoxedStrategy<Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        Just(Shape::Unit(())),
        Just(Shape::Marker(Marker)),
        number().prop_map(Shape::Float),
        narrow().prop_map(Shape::Narrow),
        any::<i64>().prop_map(Shape::Signed),
        any::<u64>().prop_map(Shape::Unsigned),
        wide().prop_map(Shape::Wide),
        unsigned().prop_map(Shape::Unsigned128),
        any::<char>().prop_map(Shape::Letter),
        any::<String>().prop_map(Shape::Text),
        any::<Option<Option<u8>>>().prop_map(Shape::OfOption),
        any::<bool>().prop_map(|some| Shape::OfUnit(some.then_some(Marker))),
        prop::option::of(number()).prop_map(Shape::OfFloat),
        prop::collection::btree_map(unsigned(), any::<u8>(), 0..3).prop_map(Shape::ByWide),
        prop::collection::btree_map(any::<char>(), any::<bool>(), 0..3).prop_map(Shape::ByLetter),
        prop::collection::btree_map(any::<bool>(), any::<u8>(), 0..3).prop_map(Shape::ByBool),
        prop::collection::btree_map(any::<(u8, u8)>(), any::<u8>(), 0..2).prop_map(Shape::ByPair),
        prop::collection::btree_set(wide(), 0..3).prop_map(Shape::Set),
        flat().prop_map(Shape::Flat),
        tagged().prop_map(Shape::Tagged),
        adjacent().prop_map(Shape::Adjacent),
        untagged().prop_map(Shape::Untagged),
        skipping().prop_map(Shape::Skipping),
        (any::<Option<Option<u8>>>(), number())
            .prop_map(|(change, rate)| Shape::Doubled(Doubled { change, rate })),
    ]
    .boxed()
}

fn shape() -> impl Strategy<Value = Shape> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Shape::List),
            prop::option::of(boxed.clone()).prop_map(Shape::Optional),
            (boxed.clone(), boxed.clone()).prop_map(|(a, b)| Shape::Pair(a, b)),
            (boxed, prop::option::of(narrow())).prop_map(|(a, b)| Shape::Record { a, b }),
            prop::collection::btree_map(any::<String>(), inner.clone(), 0..3)
                .prop_map(Shape::ByText),
            prop::collection::btree_map(any::<i64>(), inner, 0..3).prop_map(Shape::ByNumber),
        ]
    })
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]

    #[test]
    fn json_accepts_exactly_what_comes_back(value in shape()) {
        accepts::<Json, _>(&value);
    }

    #[test]
    fn cbor_accepts_exactly_what_comes_back(value in shape()) {
        accepts::<Cbor, _>(&value);
    }

    #[test]
    fn each_part_is_held_to_it_as_a_type_of_its_own(
        flat in flat(), tagged in tagged(), untagged in untagged(), skipping in skipping(),
    ) {
        accepts::<Json, _>(&flat);
        accepts::<Cbor, _>(&flat);
        accepts::<Json, _>(&tagged);
        accepts::<Cbor, _>(&tagged);
        accepts::<Json, _>(&untagged);
        accepts::<Cbor, _>(&untagged);
        accepts::<Json, _>(&skipping);
        accepts::<Cbor, _>(&skipping);
    }
}
