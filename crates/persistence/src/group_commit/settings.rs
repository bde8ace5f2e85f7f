use crate::{
    Weight,
    settings_check::SettingsCheck,
    store::bounds::{BATCH_ENTITIES_MAX, PAYLOAD_BYTES_MAX},
};
use std::time::Duration;

/// How the writes of a lane are grouped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupCommitSettings {
    /// Events of one transaction: 1,000 by default, 1 to 10,000. A single write with more goes alone.
    pub batch_events_max: usize,
    /// Bytes of payload and metadata of one transaction: 1 MiB by default, 1 byte to 16 MiB. A single write with more goes
    /// alone.
    pub batch_bytes_max: usize,
    /// How often the store is asked for the outcome of a transaction that is not known: 10 times by default, 1 to
    /// 1,000. After the last one its writes fail with an unknown outcome; until then they wait, at most until their
    /// callers' deadlines. From the first one that fails until then no other
    /// write waits for the transaction: it is refused as unavailable.
    pub resolve_attempts_max: u32,
    /// How long the second of these attempts waits after the first; every further one waits twice as long: 50 ms by
    /// default, 1 ms to 1 minute.
    pub resolve_backoff_min: Duration,
    /// The longest such wait: 5 s by default, no less than the shortest, at most 10 minutes.
    pub resolve_backoff_max: Duration,
    /// How many of the newest events of a lane are kept in memory for readers that follow it: 10,000 by default, 1 to
    /// 1,000,000. Nothing is kept while no reader does.
    pub tail_events_max: usize,
    /// How many bytes these events take at most, with what they need in memory beside payload and metadata: 8 MiB by
    /// default, 1 KiB to 1 GiB.
    pub tail_bytes_max: usize,
}

impl GroupCommitSettings {
    /// Sets [`batch_events_max`](Self::batch_events_max).
    #[must_use]
    pub fn with_batch_events_max(self, events: usize) -> Self {
        Self { batch_events_max: events, ..self }
    }

    /// Sets [`batch_bytes_max`](Self::batch_bytes_max).
    #[must_use]
    pub fn with_batch_bytes_max(self, bytes: usize) -> Self {
        Self { batch_bytes_max: bytes, ..self }
    }

    /// Sets [`resolve_attempts_max`](Self::resolve_attempts_max).
    #[must_use]
    pub fn with_resolve_attempts_max(self, attempts: u32) -> Self {
        Self { resolve_attempts_max: attempts, ..self }
    }

    /// Sets [`resolve_backoff_min`](Self::resolve_backoff_min).
    #[must_use]
    pub fn with_resolve_backoff_min(self, backoff: Duration) -> Self {
        Self { resolve_backoff_min: backoff, ..self }
    }

    /// Sets [`resolve_backoff_max`](Self::resolve_backoff_max).
    #[must_use]
    pub fn with_resolve_backoff_max(self, backoff: Duration) -> Self {
        Self { resolve_backoff_max: backoff, ..self }
    }

    /// Sets [`tail_events_max`](Self::tail_events_max).
    #[must_use]
    pub fn with_tail_events_max(self, events: usize) -> Self {
        Self { tail_events_max: events, ..self }
    }

    /// Sets [`tail_bytes_max`](Self::tail_bytes_max).
    #[must_use]
    pub fn with_tail_bytes_max(self, bytes: usize) -> Self {
        Self { tail_bytes_max: bytes, ..self }
    }

    /// All that is wrong with these settings, a sentence each; empty if they can be used.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        check.number("batch_events_max", self.batch_events_max, 1..=BATCH_ENTITIES_MAX);
        check.bytes("batch_bytes_max", self.batch_bytes_max, 1..=PAYLOAD_BYTES_MAX);
        check.number("resolve_attempts_max", self.resolve_attempts_max, 1..=1_000);
        let (shortest, longest) = (Duration::from_millis(1), Duration::from_mins(10));
        let (min, max) = (self.resolve_backoff_min, self.resolve_backoff_max);
        check.duration("resolve_backoff_min", min, shortest..=Duration::from_mins(1));
        check.duration("resolve_backoff_max", max, min..=longest);
        check.number("tail_events_max", self.tail_events_max, 1..=1_000_000);
        check.bytes("tail_bytes_max", self.tail_bytes_max, 1 << 10..=1 << 30);
        check.into_problems()
    }

    /// What one batch may hold.
    pub(super) fn batch_bounds(&self) -> Weight {
        Weight { events: self.batch_events_max, bytes: self.batch_bytes_max }
    }

    /// How much of what was committed is kept for readers.
    pub(super) fn tail_bounds(&self) -> Weight {
        Weight { events: self.tail_events_max, bytes: self.tail_bytes_max }
    }

    /// How long attempt `attempt`, counted from 1, waits: not at all, the shortest, twice that, and so on.
    pub(super) fn resolve_backoff(&self, attempt: u32) -> Duration {
        match attempt.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => {
                let factor = 2u32.saturating_pow(doublings);
                self.resolve_backoff_min.saturating_mul(factor).min(self.resolve_backoff_max)
            }
        }
    }
}

impl Default for GroupCommitSettings {
    fn default() -> Self {
        Self {
            batch_events_max: 1_000,
            batch_bytes_max: 1 << 20,
            resolve_attempts_max: 10,
            resolve_backoff_min: Duration::from_millis(50),
            resolve_backoff_max: Duration::from_secs(5),
            tail_events_max: 10_000,
            tail_bytes_max: 8 << 20,
        }
    }
}
