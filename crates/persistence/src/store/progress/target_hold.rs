use std::time::Duration;
use tokio::time::Instant;

/// A time in which a handler's transaction kept everyone else from changing what is kept beside it: no one could renew
/// there, and no one could claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetHold {
    /// When it was begun.
    pub since: Instant,
    /// When it has ended; none while it is open.
    pub ended: Option<Instant>,
}

impl TargetHold {
    /// One that lasts for less than this need not be remembered: the shortest lease is three times as long.
    pub const SHORT: Duration = Duration::from_millis(100);

    /// One that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { since: Instant::now(), ended: None }
    }

    /// Up to when it has lasted: now, while it is open.
    #[must_use]
    pub fn until(&self) -> Instant {
        self.ended.unwrap_or_else(Instant::now)
    }

    /// How long it has lasted.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.until().saturating_duration_since(self.since)
    }
}
