use super::{
    shared::SharedProjection,
    standing::{FollowedVersion, Standing},
};
use actum_model::{Lane, Offset, Position};
use actum_persistence::progress::Segment;
use tokio::sync::watch;

/// How far a segment of a version may read that follows the active one.
pub(super) struct FollowBounds {
    segment: Segment,
    standing: watch::Receiver<Standing>,
    offset: Offset,
}

impl FollowBounds {
    pub(super) fn new(shared: &SharedProjection, segment: Segment) -> Self {
        let lanes = shared.feed.events().layout().lanes;
        let mut standing = shared.standing();
        standing.mark_changed();
        Self { segment, standing, offset: Offset::beginning(lanes) }
    }

    /// Where a journal ends, as far as it may read.
    pub(super) fn of_heads(&mut self, heads: &Offset) -> Offset {
        if self.standing.has_changed().unwrap_or(false) {
            // of a version that is active by now the segment has another epoch: it only ends
            if let Standing::Follows(Some(FollowedVersion { limit, .. })) =
                &*self.standing.borrow_and_update()
            {
                self.offset = limit.of_segment(self.segment);
            }
        }
        let places = self.offset.positions().iter().zip(heads.positions());
        Offset::of_positions(places.map(|(end, head)| *end.min(head)).collect::<Vec<_>>())
    }

    /// Up to where it may read a lane.
    pub(super) fn position(&self, lane: Lane) -> Position {
        self.offset.position(lane)
    }

    /// Waits until it may read further.
    pub(super) async fn changed(&mut self) {
        if self.standing.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.standing.mark_changed();
    }
}
