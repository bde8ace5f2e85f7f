//! When a certificate expires: read from its DER, of which only the way there is understood.

use std::time::{Duration, SystemTime};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the certificate expires; `None` if it is not one, or expired before 1970.
///
/// ```text
/// Certificate: { TBSCertificate: { version?, serial, signature, issuer, validity: { not before, not after }, ... }, ... }
/// ```
pub(super) fn expires(certificate: &[u8]) -> Option<SystemTime> {
    let (certificate, _) = element(certificate, Some(SEQUENCE))?;
    let (mut rest, _) = element(certificate, Some(SEQUENCE))?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, None)?.1;
    }
    for _serial_signature_issuer in 0..3 {
        rest = element(rest, None)?.1;
    }
    let (validity, _) = element(rest, Some(SEQUENCE))?;
    let (_, not_after) = element(validity, None)?;
    let tag = *not_after.first()?;
    let (text, _) = element(not_after, None)?;
    time(tag, text)
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: Option<u8>) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if tag.is_some_and(|tag| tag != *first) {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*length) {
        short @ 0..=0x7f => (short, rest),
        long => {
            let digits = long & 0x7f;
            if !(1..=4).contains(&digits) {
                return None;
            }
            let (digits, rest) = rest.split_at_checked(digits)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: u64 = year.parse().ok()?;
            // X.509: two digits are 1950 to 2049
            (if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let mut parts = rest
        .as_bytes()
        .chunks_exact(2)
        .map(|two| two.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0')));
    let (month, day) = (parts.next()?, parts.next()?);
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    if rest.len() != 10 || !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days_since_1970(year, month, day)?;
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Counts whole years from March on, so that a leap day is the last one.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const MARCH_0000_TO_1970: u64 = 719_468;
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(MARCH_0000_TO_1970)
}

#[cfg(test)]
mod tests {
    use super::{GENERALIZED_TIME, UTC_TIME, expires, time};
    use proptest::prelude::{any, prop};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::time::{Duration, SystemTime};

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn certificate(year: i32, month: u8, day: u8) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["node".to_owned()]).expect("a name");
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }

    #[test]
    fn the_expiry_of_a_certificate_is_read() {
        assert_eq!(expires(&certificate(2027, 3, 1)), Some(at(1_803_859_200)));
        assert_eq!(expires(&certificate(2028, 2, 29)), Some(at(1_835_395_200)));
        assert_eq!(expires(&certificate(2100, 1, 1)), Some(at(4_102_444_800)), "four digits");
    }

    #[test]
    fn times_of_both_kinds_are_read_and_others_are_not() {
        assert_eq!(time(UTC_TIME, b"700101000000Z"), Some(at(0)));
        assert_eq!(time(UTC_TIME, b"000229235959Z"), Some(at(951_868_799)));
        assert_eq!(time(GENERALIZED_TIME, b"20000301000000Z"), Some(at(951_868_800)));
        for (tag, text) in [
            (UTC_TIME, &b"691231235959Z"[..]),
            (UTC_TIME, b"20000301000000Z"),
            (GENERALIZED_TIME, b"000301000000Z"),
            (UTC_TIME, b"001301000000Z"),
            (UTC_TIME, b"000001000000Z"),
            (UTC_TIME, b"000101240000Z"),
            (UTC_TIME, b"0001010000Z"),
            (UTC_TIME, b"0001010000+0100"),
            (UTC_TIME, b""),
            (GENERALIZED_TIME, b"99999999999999999999999Z"),
            (0x04, b"000101000000Z"),
        ] {
            assert_eq!(time(tag, text), None, "{:?}", String::from_utf8_lossy(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        ) {
            static CERTIFICATE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
            let _ = expires(&bytes);
            let mut nearly = CERTIFICATE.get_or_init(|| certificate(2027, 3, 1)).clone();
            for (place, byte) in flips {
                let place = place.index(nearly.len());
                nearly[place] = byte;
            }
            let _ = expires(&nearly);
        }
    }
}
