use actum_host::Moment;
use actum_model::Timestamp;
use std::time::SystemTime;
use tokio::time::Instant;

/// The runtime's clocks: a monotonic one that counts from its start, and the wall clock.
///
/// The monotonic one is tokio's, so tests with paused time decide what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::default().after(self.started.elapsed())
    }

    pub(crate) fn instant(&self, moment: Moment) -> Option<Instant> {
        self.started.checked_add(moment.since(Moment::default()))
    }

    /// The moment of an instant; the first one if it was before the start.
    pub(crate) fn moment(&self, instant: Instant) -> Moment {
        Moment::default().after(instant.saturating_duration_since(self.started))
    }

    pub(crate) fn wall(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
