//! A hash of what a protobuf message says, whatever order its fields are in.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// How deep bytes are read as messages inside each other: as deep as prost reads them.
const LEVELS_MAX: usize = 100;

/// A hash of the encoded message `bytes` that does not depend on the order of fields, nor on that of the entries of a map,
/// which prost writes in the order of its hash map.
///
/// The hashes of the fields are added up. Without the schema a text cannot be distinguished from a message, so what can
/// be read as a message is: for equal texts that is the same each time. The elements of a repeated field have no order
/// either.
pub(super) fn message_hash(bytes: &[u8]) -> u64 {
    fields_hash(bytes, LEVELS_MAX).unwrap_or_else(|| xxh3_64(bytes))
}

/// `None` when the bytes are not a message.
fn fields_hash(mut bytes: &[u8], levels: usize) -> Option<u64> {
    let mut sum = 0u64;
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = match (key >> 3, key & 7) {
            (0, _) => return None,
            (_, 0) => varint(&mut bytes)?,
            (_, 1) => xxh3_64(take(&mut bytes, 8)?),
            (_, 2) => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let value = take(&mut bytes, length)?;
                let inner = levels.checked_sub(1).and_then(|levels| fields_hash(value, levels));
                inner.unwrap_or_else(|| xxh3_64(value))
            }
            (_, 5) => xxh3_64(take(&mut bytes, 4)?),
            _ => return None,
        };
        sum = sum.wrapping_add(xxh3_64_with_seed(&value.to_le_bytes(), key));
    }
    Some(sum)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::message_hash;
    use prost::Message;
    use std::collections::HashMap;

    #[derive(Clone, PartialEq, Message)]
    struct Order {
        #[prost(string, tag = "1")]
        customer: String,
        #[prost(map = "string, uint32", tag = "2")]
        lines: HashMap<String, u32>,
        #[prost(message, optional, boxed, tag = "3")]
        inner: Option<Box<Order>>,
        #[prost(double, tag = "4")]
        price: f64,
    }

    fn order(count: u32) -> Order {
        let lines = (0..20).map(|line| (format!("line-{line}"), line)).chain([("x".into(), count)]);
        Order { customer: "c-1".into(), lines: lines.collect(), inner: None, price: 1.5 }
    }

    fn nested(count: u32) -> Order {
        Order { inner: Some(Box::new(order(count))), ..order(0) }
    }

    #[test]
    fn equal_messages_have_one_hash_whatever_order_their_maps_are_in() {
        let first = nested(1).encode_to_vec();
        let others: Vec<_> = (0..20).map(|_| nested(1).encode_to_vec()).collect();
        assert!(others.iter().any(|other| *other != first), "maps differ in their order");
        for other in &others {
            assert_eq!(message_hash(other), message_hash(&first));
        }
    }

    #[test]
    fn other_content_has_another_hash() {
        let mut hashes = vec![
            order(1),
            order(2),
            nested(1),
            nested(2),
            Order { price: 1.25, ..order(1) },
            Order { customer: "c-2".into(), ..order(1) },
            Order::default(),
        ]
        .into_iter()
        .map(|order| message_hash(&order.encode_to_vec()))
        .collect::<Vec<_>>();
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn bytes_that_are_not_a_message_have_a_hash() {
        for bytes in [&[0x80][..], &[0x0a, 5, 1], &[7], &[0xff; 20]] {
            message_hash(bytes);
        }
    }
}
