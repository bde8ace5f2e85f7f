use crate::definition::StartAt;
use actum_persistence::{settings_check::SettingsCheck, store::PageLimit};
use std::num::NonZeroU32;

/// How a subscription runs. All settings are checked together when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionSettings {
    /// Where it begins in the journal.
    pub start_at: StartAt,
    /// How many events are read at once, and wait for consumers; 500 by default, 1 to 10,000. Twice as many may be in memory.
    pub buffer_events: usize,
    /// How many bytes those events have, one event at least; 1 MiB by default, 1 byte to 64 MiB.
    pub buffer_bytes: usize,
}

impl SubscriptionSettings {
    pub(super) fn new(start_at: StartAt) -> Self {
        Self { start_at, buffer_events: 500, buffer_bytes: 1 << 20 }
    }

    pub(super) fn check(&self, check: &mut SettingsCheck) {
        check.number("buffer_events", self.buffer_events, 1..=10_000);
        check.bytes("buffer_bytes", self.buffer_bytes, 1..=64 << 20);
    }

    /// How much is read at once.
    pub(super) fn page_limit(&self) -> PageLimit {
        let events = u32::try_from(self.buffer_events).unwrap_or(u32::MAX);
        let events = NonZeroU32::new(events).unwrap_or(NonZeroU32::MIN);
        PageLimit::default().with_events(events).with_bytes(self.buffer_bytes)
    }
}
