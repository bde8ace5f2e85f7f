use super::entry::Entry;
use crate::behaviour::{difference::difference, order::Order};
use actum_model::{Codec, Payload, StoredPayload};
use actum_persistence::{error_chain::full_text, panics::guard};

/// The values of one type that a test gives, and how what is stored of that type is read.
pub(super) struct Section {
    pub(super) label: String,
    manifest: &'static str,
    schema_version: u32,
    codec: &'static str,
    /// The values of today, encoded, or why one is not.
    pub(super) today: Vec<Result<Entry, String>>,
    /// Decodes a payload and encodes the value again.
    again: fn(&StoredPayload) -> Result<StoredPayload, Unread>,
}

/// Why a stored payload did not make the way through today's type.
enum Unread {
    Decoding(String),
    Encoding(String),
}

impl Section {
    pub(super) fn of<T: Payload>(label: String, values: impl IntoIterator<Item = T>) -> Self {
        let entry = |value: T| match encode(&value) {
            Ok(stored) => Ok(Entry { label: label.clone(), stored }),
            Err(why) => Err(format!("{label}: {why}")),
        };
        let today = values.into_iter().map(entry).collect();
        Self {
            today,
            label,
            manifest: T::MANIFEST,
            schema_version: T::SCHEMA_VERSION,
            codec: <T::Codec as Codec<T>>::NAME,
            again: again::<T>,
        }
    }

    /// Holds a stored payload to it: it must be readable, and be what is written today unless its schema version or its
    /// codec is another.
    ///
    /// # Errors
    /// What is wrong, and what to do about it.
    pub(super) fn check(&self, stored: &StoredPayload, order: Order) -> Result<(), String> {
        let current = stored.schema_version == self.schema_version && stored.codec == self.codec;
        let again = (self.again)(stored).map_err(|unread| match unread {
            Unread::Encoding(why) => format!("it can be read, but not written again: {why}"),
            Unread::Decoding(why) if current => {
                format!("it cannot be read any more: {why}\n    {}", self.advice())
            }
            Unread::Decoding(why) if stored.schema_version > self.schema_version => why,
            Unread::Decoding(why) => format!(
                "it cannot be read any more: {why}\n    `upcast` of `{}` must read schema version {} with the codec `{}`",
                self.manifest, stored.schema_version, stored.codec
            ),
        })?;
        let same =
            again.manifest == stored.manifest && order.same_bytes(&again.bytes, &stored.bytes);
        if !current || same {
            return Ok(());
        }
        let line = |stored: &StoredPayload| {
            Entry { label: self.label.clone(), stored: stored.clone() }.to_string()
        };
        let difference = difference(&line(stored), &line(&again));
        let unordered = if Order::IsChance.same_bytes(&again.bytes, &stored.bytes) {
            "\n    only the order differs: if a hash map or set is the reason, use a BTreeMap, or `Golden::unordered`"
        } else {
            ""
        };
        Err(format!(
            "it is written otherwise today (- stored, + today){difference}{unordered}\n    {}",
            self.advice()
        ))
    }

    fn advice(&self) -> String {
        let (manifest, version) = (self.manifest, self.schema_version);
        format!(
            "the format of `{manifest}` has changed: raise its `SCHEMA_VERSION` from {version} to {}, and write `upcast` for what is stored in version {version}",
            version.saturating_add(1)
        )
    }
}

fn encode<T: Payload>(value: &T) -> Result<StoredPayload, String> {
    guard(|| StoredPayload::encode(value))
        .map_err(|panic| format!("encoding panicked: {panic}"))?
        .map_err(|error| format!("encoding failed: {}", full_text(&error)))
}

fn again<T: Payload>(stored: &StoredPayload) -> Result<StoredPayload, Unread> {
    let value: T = guard(|| stored.decode())
        .map_err(|panic| Unread::Decoding(format!("decoding panicked: {panic}")))?
        .map_err(|error| Unread::Decoding(full_text(&error)))?;
    encode(&value).map_err(Unread::Encoding)
}
