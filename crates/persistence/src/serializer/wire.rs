//! Writes protobuf from borrowed values, in the order of the tags.
//!
//! The generated types own their text, so filling one only to encode it would copy every field again. Reading
//! goes through them; tests hold both sides together.

/// A message, as far as writing goes.
pub(super) trait WireMessage {
    /// Writes the fields that are not empty.
    fn put<S: Sink>(&self, sink: &mut S);
}

impl<M: WireMessage> WireMessage for &M {
    fn put<S: Sink>(&self, sink: &mut S) {
        (*self).put(sink);
    }
}

/// Where a message goes: into a buffer, or only counted, since a length precedes every message inside another.
pub(super) trait Sink {
    fn varint(&mut self, value: u64);
    fn slice(&mut self, bytes: &[u8]);
    fn message_of<M: WireMessage>(&mut self, message: &M, length: usize);
}

/// The encoded size of a message, in bytes.
pub(super) fn length<M: WireMessage>(message: &M) -> usize {
    let mut length = Length(0);
    message.put(&mut length);
    length.0
}

/// A field of text or bytes; absent when empty.
pub(super) fn bytes<S: Sink>(sink: &mut S, tag: u32, value: &[u8]) {
    if !value.is_empty() {
        sink.varint(key(tag, LENGTH_DELIMITED));
        sink.varint(value.len() as u64);
        sink.slice(value);
    }
}

/// A field of an integer; absent when zero.
pub(super) fn number<S: Sink>(sink: &mut S, tag: u32, value: u64) {
    if value != 0 {
        sink.varint(key(tag, VARINT));
        sink.varint(value);
    }
}

/// A field of an integer that may be absent; present even when zero.
pub(super) fn optional_number<S: Sink>(sink: &mut S, tag: u32, value: Option<u64>) {
    if let Some(value) = value {
        sink.varint(key(tag, VARINT));
        sink.varint(value);
    }
}

/// A field of an integer of fixed size; present even when zero.
pub(super) fn fixed64<S: Sink>(sink: &mut S, tag: u32, value: u64) {
    sink.varint(key(tag, I64));
    sink.slice(&value.to_le_bytes());
}

/// A list of integers of fixed size; absent when empty.
pub(super) fn packed_fixed64<S: Sink>(
    sink: &mut S,
    tag: u32,
    values: impl ExactSizeIterator<Item = u64>,
) {
    if values.len() > 0 {
        sink.varint(key(tag, LENGTH_DELIMITED));
        sink.varint(8 * values.len() as u64);
        values.for_each(|value| sink.slice(&value.to_le_bytes()));
    }
}

/// A list of integers; absent when empty.
pub(super) fn packed_numbers<S: Sink, I: Iterator<Item = u64>>(
    sink: &mut S,
    tag: u32,
    values: impl Fn() -> I,
) {
    let mut length = Length(0);
    values().for_each(|value| length.varint(value));
    if length.0 > 0 {
        sink.varint(key(tag, LENGTH_DELIMITED));
        sink.varint(length.0 as u64);
        values().for_each(|value| sink.varint(value));
    }
}

/// A field that is a message; present even when empty.
pub(super) fn message<S: Sink, M: WireMessage>(sink: &mut S, tag: u32, value: &M) {
    let length = length(value);
    sink.varint(key(tag, LENGTH_DELIMITED));
    sink.varint(length as u64);
    sink.message_of(value, length);
}

const VARINT: u64 = 0;
const I64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;

fn key(tag: u32, wire_type: u64) -> u64 {
    u64::from(tag) << 3 | wire_type
}

struct Length(usize);

impl Sink for Length {
    fn varint(&mut self, value: u64) {
        // seven bits a byte, at least one byte
        let bits = u64::BITS - (value | 1).leading_zeros();
        self.0 += bits.div_ceil(7) as usize;
    }

    fn slice(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn message_of<M: WireMessage>(&mut self, _: &M, length: usize) {
        self.0 += length;
    }
}

impl Sink for Vec<u8> {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    fn slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn message_of<M: WireMessage>(&mut self, message: &M, length: usize) {
        let start = self.len();
        message.put(self);
        debug_assert_eq!(self.len() - start, length, "a message is as long as it was counted");
    }
}
