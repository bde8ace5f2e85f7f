use actum_model::{Offset, Timestamp};

/// Where a projection begins in the journal; later starts go on where it was.
///
/// Retention keeps what a projection has not handled. What was deleted before, behind a snapshot, is not there: a projection
/// that begins with the first event and misses some [says so](crate::ProjectionStatus::missing). For one whose rows need the
/// whole history, keep all events.
///
/// A new version begins no further on than the active one has come, whatever is said here: what that has not handled is
/// handled by the new one, if it takes over before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartAt {
    /// With the first event.
    #[default]
    Beginning,
    /// Behind the last event that is there when it starts for the first time.
    Now,
    /// Behind this offset.
    Behind(Offset),
    /// About where events of this time begin, in each lane: events do not come in the order of their times, where clocks
    /// differ, so some that are a little older may come, and some younger ones may not.
    Time(Timestamp),
}
