use crate::{
    settings_check::SettingsCheck,
    store::bounds::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX},
};

/// How large what is stored may be. Beyond a limit a command fails with a clear error and nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeLimits {
    /// Bytes of one encoded event, state, snapshot or command: 1 MiB by default, 1 byte to 16 MiB.
    pub payload_bytes_max: usize,
    /// Bytes of the encoded metadata of one event, without a recorded reply: 16 KiB by default, 1 byte to 4 MiB.
    pub metadata_bytes_max: usize,
    /// Bytes of one encoded reply that is recorded, to be given again to a retry with the same command id: 64 KiB by
    /// default, 1 byte to 4 MiB.
    pub reply_bytes_max: usize,
    /// Bytes of payload and metadata, without a recorded reply, of the events that one command or append stores: 4 MiB by default,
    /// as much as `payload_bytes_max` and `metadata_bytes_max` together, so that the largest event can be stored, to 32 MiB.
    pub append_bytes_max: usize,
    /// Events that one command, or one append to a stream, stores: 10,000 by default, 1 to 100,000.
    pub append_events_max: usize,
}

impl SizeLimits {
    /// Sets [`payload_bytes_max`](Self::payload_bytes_max).
    #[must_use]
    pub fn with_payload_bytes_max(self, bytes: usize) -> Self {
        Self { payload_bytes_max: bytes, ..self }
    }

    /// Sets [`metadata_bytes_max`](Self::metadata_bytes_max).
    #[must_use]
    pub fn with_metadata_bytes_max(self, bytes: usize) -> Self {
        Self { metadata_bytes_max: bytes, ..self }
    }

    /// Sets [`reply_bytes_max`](Self::reply_bytes_max).
    #[must_use]
    pub fn with_reply_bytes_max(self, bytes: usize) -> Self {
        Self { reply_bytes_max: bytes, ..self }
    }

    /// Sets [`append_bytes_max`](Self::append_bytes_max).
    #[must_use]
    pub fn with_append_bytes_max(self, bytes: usize) -> Self {
        Self { append_bytes_max: bytes, ..self }
    }

    /// Sets [`append_events_max`](Self::append_events_max).
    #[must_use]
    pub fn with_append_events_max(self, events: usize) -> Self {
        Self { append_events_max: events, ..self }
    }

    /// All that is wrong with these limits, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        check.bytes("payload_bytes_max", self.payload_bytes_max, 1..=PAYLOAD_BYTES_MAX);
        // the metadata of an event may carry a recorded reply
        check.bytes("metadata_bytes_max", self.metadata_bytes_max, 1..=METADATA_BYTES_MAX / 2);
        check.bytes("reply_bytes_max", self.reply_bytes_max, 1..=METADATA_BYTES_MAX / 2);
        // the largest event fits; with what has gathered before it, and with its reply, it still fits into a batch
        let largest = BATCH_BYTES_MAX / 2;
        let event = self.payload_bytes_max.saturating_add(self.metadata_bytes_max);
        check.bytes("append_bytes_max", self.append_bytes_max, event.clamp(1, largest)..=largest);
        check.number("append_events_max", self.append_events_max, 1..=BATCH_EVENTS_MAX);
        check.into_problems()
    }
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 1 << 20,
            metadata_bytes_max: 16 << 10,
            reply_bytes_max: 64 << 10,
            append_bytes_max: 4 << 20,
            append_events_max: 10_000,
        }
    }
}
