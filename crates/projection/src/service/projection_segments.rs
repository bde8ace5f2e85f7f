use super::{
    ProjectionError, ProjectionRef,
    dividing::{Dividing, WantedSegments},
    registration::SUBSCRIPTION_PREFIX,
};
use actum_reader::division::NotDivided;
use std::num::NonZeroU16;

/// Segments of a projection.
impl ProjectionRef {
    /// Divides it into so many segments while it runs, in whichever processes it does, and returns how many it has then.
    /// It stays so, whatever [`Projection::segments`](crate::Projection::segments) says.
    ///
    /// Its runners finish the batch that they are at, give their segments back and rest until those are split or merged; the
    /// runners of other processes begin to rest within a third of a lease. No event is handled twice by that, or skipped; parked
    /// entities, dead letters and where live begins stay as they are. Segments that are merged are brought to the same place
    /// before: one that is behind reads on, in this process, exactly as far as those that have come further.
    ///
    /// While it is paused it can be divided if no segment has to read on for that. A segment that has stopped is split into
    /// segments that have stopped, and not merged. A [version](Self::version) that follows the active one has at least the
    /// segments of that, and is divided further by itself when the active one is.
    ///
    /// It waits for two leases and ten seconds at most.
    ///
    /// # Errors
    /// [`ProjectionError::NotDivided`] with the reason, and the segments are as they were. At once: it is paused, a segment has
    /// stopped or is far behind, another call divides it, it is a durable subscription, or there are fewer partitions. Behind
    /// that wait: its runners do not rest, or a segment does not catch up. Otherwise when it is unknown, cannot run, or the
    /// store fails.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether it is divided; its runners may rest for a lease.
    pub async fn divide(&self, segments: NonZeroU16) -> Result<usize, ProjectionError> {
        if self.name.starts_with(SUBSCRIPTION_PREFIX) {
            let (name, why) = (self.name.to_string(), NotDivided::Subscription);
            return Err(ProjectionError::NotDivided { name, why });
        }
        let shared = self.shared().await.ok_or_else(|| self.unknown())?;
        Dividing::new(shared, &self.me, WantedSegments::Count(segments)).run().await
    }
}
