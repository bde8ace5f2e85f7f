use actum_persistence::settings_check::SettingsCheck;
use std::time::Duration;

/// Lets changes of one entity gather: they are written when there are enough, or when the oldest has waited enough.
///
/// Off unless set, since writes of different entities gather by themselves, without a timer.
///
/// # Examples
/// ```
/// # use actum_model::EventSourced;
/// # use actum_host as actum;
/// use actum::settings::{Batching, EntitySettings};
/// use std::time::Duration;
/// # fn example<Meter: EventSourced>() -> EntitySettings<Meter> {
///
/// // read many times a second: a hundred at once, none older than a second
/// let batching = Batching::default()
///     .with_threshold(100)
///     .with_flush_window(Duration::from_secs(1));
/// EntitySettings::<Meter>::default().with_batching(batching)
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batching {
    /// How many changes are written at once; 100 by default, at least 1.
    pub threshold: u32,
    /// How long the oldest change waits at most; 10 milliseconds by default, 1 millisecond to 1 minute.
    pub flush_window: Duration,
}

impl Batching {
    /// Sets [`threshold`](Self::threshold).
    #[must_use]
    pub fn with_threshold(self, threshold: u32) -> Self {
        Self { threshold, ..self }
    }

    /// Sets [`flush_window`](Self::flush_window).
    #[must_use]
    pub fn with_flush_window(self, flush_window: Duration) -> Self {
        Self { flush_window, ..self }
    }

    pub(super) fn check(&self, check: &mut SettingsCheck) {
        check.number("batching.threshold", self.threshold, 1..);
        let bounds = Duration::from_millis(1)..=Duration::from_mins(1);
        check.duration("batching.flush_window", self.flush_window, bounds);
    }
}

impl Default for Batching {
    fn default() -> Self {
        Self { threshold: 100, flush_window: Duration::from_millis(10) }
    }
}
