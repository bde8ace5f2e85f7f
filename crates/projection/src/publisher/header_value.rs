use std::{borrow::Cow, fmt::Write};

/// An attribute's value as a header holds it: printable ASCII, everything else percent-encoded, as the HTTP binding of
/// CloudEvents says.
pub(super) fn header_value(value: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7E) && byte != b'"' && byte != b'%';
    if value.bytes().all(is_plain) {
        return Cow::Borrowed(value);
    }
    let mut encoded = String::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a string takes it all");
        }
    }
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_can_hold_is_percent_encoded() {
        assert_eq!(header_value("account/acc-1"), "account/acc-1");
        assert_eq!(header_value("a b\"%\r\n€"), "a%20b%22%25%0D%0A%E2%82%AC");
    }
}
