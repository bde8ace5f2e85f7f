//! A payload waits for the journal in exactly the memory it needs.

use crate::{
    account::{balance, deposited, opened},
    metadata::{full_metadata, reply},
    recent_commands::commands,
};
use actum_persistence::serializer::Serializer;
use allocation_counter::measure;

/// Encodes once to warm the thread's scratch up, then asserts that encoding is one allocation of the encoded size.
fn assert_one_exact_allocation(what: &str, mut encode: impl FnMut() -> usize) {
    encode();
    let mut size = 0;
    let used = measure(|| size = encode());
    assert_eq!((used.count_total, used.bytes_total), (1, size as u64), "{what}");
}

#[test]
fn a_payload_is_one_allocation_of_its_size_in_each_codec() {
    let serializer = Serializer::default();
    let (json, cbor, prost) = (opened(), balance(), deposited());
    assert_one_exact_allocation("json", || serializer.encode(&json).unwrap().bytes.len());
    assert_one_exact_allocation("cbor", || serializer.encode(&cbor).unwrap().bytes.len());
    assert_one_exact_allocation("prost", || serializer.encode(&prost).unwrap().bytes.len());
}

#[test]
fn metadata_and_recent_commands_are_one_allocation_of_their_size() {
    let serializer = Serializer::default();
    let (metadata, reply, commands) = (full_metadata(), reply(), commands());
    assert_one_exact_allocation("metadata", || {
        serializer.encode_metadata(&metadata, Some(&reply)).unwrap().len()
    });
    assert_one_exact_allocation("recent commands", || {
        serializer.encode_recent_commands(&commands).len()
    });
}

#[test]
fn an_empty_payload_is_no_allocation() {
    let serializer = Serializer::default();
    let used = measure(|| assert!(serializer.encode(&()).unwrap().bytes.is_empty()));
    assert_eq!(used.count_total, 0);
}

#[test]
fn a_large_payload_leaves_no_large_scratch_behind() {
    let (serializer, value) = (Serializer::default(), "x".repeat(1 << 20));
    let used = measure(|| {
        let stored = serializer.encode(&value).unwrap();
        assert_eq!(stored.bytes.len(), 1 << 20);
    });
    assert!(used.bytes_current < 65_536, "{} bytes stay", used.bytes_current);
}
