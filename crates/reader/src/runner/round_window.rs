use std::time::Duration;

/// When the next round of a runner is, counted from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundWindow {
    /// From when on it may be.
    pub from: Duration,
    /// When it has to be.
    pub until: Duration,
    /// Whether it goes by itself: not with the rounds of others, whatever these do.
    pub is_alone: bool,
}

impl RoundWindow {
    /// A round that has to be after `wait`, and may be when half of that is over: so rounds that are as often as each other
    /// are together from the second one on, whenever they have begun.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        Self { from: wait / 2, until: wait, is_alone: false }
    }

    /// A round that has to be after `wait`, by itself.
    #[must_use]
    pub fn alone_after(wait: Duration) -> Self {
        Self { from: wait, until: wait, is_alone: true }
    }
}
