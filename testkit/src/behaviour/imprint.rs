use super::{
    difference::{difference, line_difference},
    order::Order,
};
use actum_model::{Payload, StoredPayload};
use actum_persistence::{error_chain::full_text, panics::guard};
use std::fmt::{self, Debug};

/// What a value looks like: to people, and in a store. Two values are the same when their imprints are.
#[derive(Clone)]
pub(super) struct Imprint {
    pub(super) line: String,
    pub(super) text: String,
    pub(super) stored: StoredPayload,
}

/// A value that went through its codec and came back.
pub(super) struct ReadBack<T> {
    pub(super) value: T,
    pub(super) imprint: Imprint,
}

/// How people see a value over as many lines as it takes.
pub(super) fn text_of(value: &impl Debug) -> String {
    format!("{value:#?}")
}

impl Imprint {
    /// # Errors
    /// Why the value cannot be encoded.
    pub(super) fn of<T: Payload + Debug>(value: &T) -> Result<Self, String> {
        let stored = guard(|| StoredPayload::encode(value))
            .map_err(|panic| format!("encoding panicked: {panic}"))?
            .map_err(|error| format!("encoding failed: {}", full_text(&error)))?;
        Ok(Self { line: format!("{value:?}"), text: text_of(value), stored })
    }

    /// # Errors
    /// Why the bytes cannot be decoded.
    pub(super) fn decode<T: Payload>(&self) -> Result<T, String> {
        guard(|| self.stored.decode())
            .map_err(|panic| format!("decoding panicked: {panic}"))?
            .map_err(|error| format!("decoding failed: {}", full_text(&error)))
    }

    pub(super) fn same(&self, other: &Self, order: Order) -> bool {
        let (a, b) = (&self.stored, &other.stored);
        order.same_text(&self.text, &other.text)
            && order.same_bytes(&a.bytes, &b.bytes)
            && (&a.codec, &a.manifest, a.schema_version)
                == (&b.codec, &b.manifest, b.schema_version)
    }

    /// Shows in what the two are not the same.
    pub(super) fn difference(&self, other: &Self, order: Order) -> String {
        if order.same_text(&self.text, &other.text) {
            return difference(&self.stored_text(), &other.stored_text());
        }
        let short = self.line.len().max(other.line.len()) <= 72;
        let (a, b) = if short { (&self.line, &other.line) } else { (&self.text, &other.text) };
        difference(a, b) + order.advice(&self.text, &other.text)
    }

    /// The stored form for people: codec, manifest, schema version, and the bytes as text where they are text.
    pub(super) fn stored_text(&self) -> String {
        let StoredPayload { codec, manifest, schema_version, bytes } = &self.stored;
        let bytes = match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control() && c != '\n') => text.to_owned(),
            _ => format!("{:02x?}", &bytes[..]),
        };
        format!("{codec} {manifest} {schema_version}: {bytes}")
    }
}

impl fmt::Display for Imprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// As [`difference`], with one line for each value of two lists.
pub(super) fn list_difference(old: &[Imprint], new: &[Imprint]) -> String {
    let lines = |list: &[Imprint], with_bytes: bool| -> Vec<String> {
        let stored = |i: &Imprint| {
            if with_bytes { format!(" = {}", i.stored_text()) } else { String::new() }
        };
        list.iter().map(|i| i.line.replace('\n', " ") + &stored(i)).collect()
    };
    // values that look the same to people can only be distinguished by their bytes
    let alike = lines(old, false) == lines(new, false);
    line_difference(&lines(old, alike), &lines(new, alike))
}

/// Encodes a value, decodes it, encodes it again: all must stay as it was.
///
/// # Errors
/// What did not.
pub(super) fn read_back<T: Payload + Debug>(
    value: &T,
    order: Order,
) -> Result<ReadBack<T>, String> {
    let imprint = Imprint::of(value)?;
    let value: T = imprint.decode()?;
    let again = Imprint::of(&value).map_err(|why| format!("once decoded, {why}"))?;
    if imprint.same(&again, order) {
        return Ok(ReadBack { value, imprint });
    }
    let difference = imprint.difference(&again, order);
    Err(format!("it comes back as another value (- before, + after){difference}"))
}

/// The stored form of a value that survives its codec.
///
/// # Errors
/// In what it does not.
pub(crate) fn stored<T: Payload + Debug>(value: &T) -> Result<StoredPayload, String> {
    read_back(value, Order::Matters).map(|back| back.imprint.stored)
}
