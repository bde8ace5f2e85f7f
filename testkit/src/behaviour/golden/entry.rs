use actum_model::StoredPayload;
use std::fmt;

/// A stored payload as one line: `event | account.opened | 1 | json | {"owner":"Ada"}`.
///
/// The bytes are shown as text where a line of text brings every one of them back, and in hexadecimal otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it is to its entity: `event`, `state`, or `reply` and the manifest of a command.
    pub(super) label: String,
    pub(super) stored: StoredPayload,
}

const SEPARATOR: &str = " | ";
const HEX: &str = "0x";

impl Entry {
    /// # Errors
    /// What is wrong with the line.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.splitn(5, SEPARATOR).collect();
        let [label, manifest, version, codec, bytes] = fields[..] else {
            return Err("expected `what | manifest | schema version | codec | bytes`".into());
        };
        let schema_version =
            version.parse().map_err(|_| format!("`{version}` is not a schema version"))?;
        let stored = StoredPayload {
            codec: codec.to_owned().into(),
            manifest: manifest.to_owned().into(),
            schema_version,
            bytes: bytes_of(bytes)?.into(),
        };
        Ok(Self { label: label.to_owned(), stored })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoredPayload { codec, manifest, schema_version, bytes } = &self.stored;
        for field in [&*self.label, manifest, &schema_version.to_string(), codec] {
            write!(f, "{field}{SEPARATOR}")?;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if is_line(text) => f.write_str(text),
            _ => {
                f.write_str(HEX)?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Whether an editor leaves the text as it is, and reading it takes it for text.
fn is_line(text: &str) -> bool {
    !text.is_empty()
        && text == text.trim()
        && !text.starts_with(HEX)
        && !text.chars().any(char::is_control)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let Some(digits) = text.strip_prefix(HEX) else { return Ok(text.as_bytes().to_vec()) };
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| "the bytes are not hexadecimal".into())
}

#[cfg(test)]
mod tests {
    use super::Entry;
    use actum_model::StoredPayload;

    #[test]
    fn every_payload_comes_back_from_its_line() {
        let shown = [
            (&b"{\"a\":\" | \"}"[..], "{\"a\":\" | \"}"),
            (b"", "0x"),
            (b"0x", "0x3078"),
            (b" a", "0x2061"),
            (b"a\nb", "0x610a62"),
            (b"\xff\x00", "0xff00"),
            ("\u{e9}".as_bytes(), "\u{e9}"),
        ];
        for (bytes, expected) in shown {
            let stored = StoredPayload {
                codec: "json".into(),
                manifest: "account.opened".into(),
                schema_version: 7,
                bytes: bytes.into(),
            };
            let entry = Entry { label: "event".into(), stored };
            let line = entry.to_string();
            assert_eq!(line, format!("event | account.opened | 7 | json | {expected}"));
            assert_eq!(Entry::parse(&line).unwrap(), entry);
        }
    }

    #[test]
    fn a_line_that_is_none_is_distinguished() {
        for line in
            ["event", "event | a | 1 | json", "event | a | one | json | 1", "e | a | 1 | c | 0xf"]
        {
            assert!(Entry::parse(line).is_err(), "{line}");
        }
    }
}
