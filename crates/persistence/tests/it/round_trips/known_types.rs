//! What was read back once is not read back again: the usual path costs no decoding and no allocation.

use actum_model::Codec;
use actum_persistence::codec::{Cbor, Json};
use serde::{Deserialize, Deserializer, Serialize};
use std::{cell::Cell, collections::BTreeMap};

thread_local! {
    static DECODED: Cell<usize> = const { Cell::new(0) };
}

/// Counts how often it is decoded.
#[derive(Debug, Serialize)]
struct Counted(u8);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        DECODED.set(DECODED.get() + 1);
        u8::deserialize(from).map(Self)
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum Event {
    Opened {
        owner: String,
        counted: Counted,
    },
    Noted {
        counted: Counted,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<i128>,
    },
    Numbered(Counted, BTreeMap<u64, u8>),
}

fn decoded<C: Codec<Event>>(event: &Event) -> usize {
    DECODED.set(0);
    C::encode(event, &mut Vec::new()).unwrap();
    DECODED.get()
}

fn each_part_is_tried_once<C: Codec<Event>>() {
    let opened = |owner: &str| Event::Opened { owner: owner.to_owned(), counted: Counted(1) };
    let noted = |note| Event::Noted { counted: Counted(1), note };
    assert_eq!([decoded::<C>(&opened("a")), decoded::<C>(&opened("b"))], [1, 0]);
    assert_eq!([decoded::<C>(&noted(None)), decoded::<C>(&noted(None))], [1, 0]);
    assert_eq!([decoded::<C>(&noted(Some(5))), decoded::<C>(&noted(Some(6)))], [1, 0]);
    assert_eq!(
        [decoded::<C>(&noted(Some(i128::MAX))), decoded::<C>(&noted(Some(i128::MIN)))],
        [1, 0]
    );
    let numbered = |key| Event::Numbered(Counted(1), BTreeMap::from([(key, 1)]));
    assert_eq!([decoded::<C>(&numbered(1)), decoded::<C>(&numbered(2))], [1, 0]);
    let mut out = Vec::with_capacity(1_000);
    let allocated = allocation_counter::measure(|| C::encode(&noted(Some(7)), &mut out).unwrap());
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn a_part_of_a_type_is_read_back_when_it_is_first_written() {
    each_part_is_tried_once::<Json>();
    each_part_is_tried_once::<Cbor>();
}

#[test]
fn each_thread_finds_out_by_itself() {
    let first = || decoded::<Json>(&Event::Noted { counted: Counted(1), note: None });
    assert_eq!(first(), 1);
    assert_eq!(std::thread::spawn(first).join().unwrap(), 1);
    assert_eq!(first(), 0);
}
