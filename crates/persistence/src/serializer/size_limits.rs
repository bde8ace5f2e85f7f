use crate::store::bounds::{
    BATCH_BYTES_MAX, BATCH_EVENTS_MAX, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX,
};

/// How large what is stored may be. Beyond a limit a command fails with a clear error and nothing of it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeLimits {
    /// Bytes of one encoded event, state, snapshot or command: 1 MiB by default, 1 to 16 MiB.
    pub payload_bytes_max: usize,
    /// Bytes of the encoded metadata of one event, without a recorded reply: 16 KiB by default, 1 to 4 MiB.
    pub metadata_bytes_max: usize,
    /// Bytes of one encoded reply that is recorded, to be given again to a retry with the same command id: 64 KiB by
    /// default, 1 to 4 MiB. An entity keeps as many of them in memory as it remembers commands.
    pub reply_bytes_max: usize,
    /// Bytes of payload and metadata, without a recorded reply, of the events that one command stores: 4 MiB by default,
    /// at most 32 MiB, and no less than those of one event, or the largest could not be stored.
    pub append_bytes_max: usize,
    /// Events that one command stores: 10,000 by default, 1 to 100,000.
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
    pub fn validate(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |name: &str, value: usize, max: usize| {
            if !(1..=max).contains(&value) {
                problems.push(format!("`{name}` is {value}, it must be 1 to {max}"));
            }
        };
        check("payload_bytes_max", self.payload_bytes_max, PAYLOAD_BYTES_MAX);
        // the metadata of an event may carry a recorded reply
        check("metadata_bytes_max", self.metadata_bytes_max, METADATA_BYTES_MAX / 2);
        check("reply_bytes_max", self.reply_bytes_max, METADATA_BYTES_MAX / 2);
        // with what has gathered before it, and with its reply, it still fits into a batch
        check("append_bytes_max", self.append_bytes_max, BATCH_BYTES_MAX / 2);
        check("append_events_max", self.append_events_max, BATCH_EVENTS_MAX);
        let event = self.payload_bytes_max.saturating_add(self.metadata_bytes_max);
        if self.append_bytes_max < event {
            problems.push(format!(
                "`append_bytes_max` is {}, less than the {event} of `payload_bytes_max` and `metadata_bytes_max`",
                self.append_bytes_max
            ));
        }
        problems
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
