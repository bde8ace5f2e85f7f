//! How deep protobuf messages may be nested in bytes, without their schema.

/// Whether `bytes`, read as a message, may have more than `levels` messages inside each other.
///
/// A text that happens to look like messages counts as such, so `true` only means that decoding has to find out.
pub(super) fn may_nest(bytes: &[u8], levels: usize) -> bool {
    // each level takes a key and a length
    if bytes.len() < 2 * (levels + 1) {
        return false;
    }
    let mut rest = bytes;
    while let Some(field) = next_field(&mut rest) {
        match field {
            Field::Bytes(_) if levels == 0 => return true,
            Field::Bytes(inner) if may_nest(inner, levels - 1) => return true,
            Field::Group => return true, // long out of use: not worth finding out exactly
            Field::Bytes(_) | Field::Number => {}
        }
    }
    false
}

enum Field<'a> {
    Number,
    Bytes(&'a [u8]),
    Group,
}

/// Takes a field off the bytes; `None` at their end, or if they are no message.
fn next_field<'a>(bytes: &mut &'a [u8]) -> Option<Field<'a>> {
    match varint(bytes)? & 7 {
        0 => varint(bytes).map(|_| Field::Number),
        1 => take(bytes, 8).map(|_| Field::Number),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            take(bytes, length).map(Field::Bytes)
        }
        3 => Some(Field::Group),
        5 => take(bytes, 4).map(|_| Field::Number),
        _ => None,
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    bytes.split_off(..count)
}

#[cfg(test)]
mod tests {
    use super::may_nest;

    /// Field 1 within field 1, `levels` of them, with a number in the innermost.
    fn nested(levels: usize) -> Vec<u8> {
        let mut bytes = vec![8, 1];
        for _ in 0..levels {
            let mut outer = vec![10];
            prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
            outer.extend(bytes);
            bytes = outer;
        }
        bytes
    }

    #[test]
    fn levels_are_counted_and_numbers_and_short_texts_are_none() {
        for levels in 1..120 {
            assert!(may_nest(&nested(levels), levels - 1));
            assert!(!may_nest(&nested(levels), levels));
        }
        assert!(!may_nest(&[], 0));
        let text = [&[10, 200, 1][..], &[b'x'; 200]].concat();
        assert!(may_nest(&text, 0) && !may_nest(&text, 99));
    }
}
