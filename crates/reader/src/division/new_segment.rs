use actum_model::{Lane, LaneCount, Offset};
use actum_persistence::progress::{ReadProgress, Segment, StoredSegment};

/// A segment that a division makes, and what of the ones that are there becomes it.
pub(super) struct NewSegment {
    pub(super) segment: Segment,
    pub(super) parts: Vec<CommonPart>,
}

/// What a new segment has in common with one that is replaced.
pub(super) struct CommonPart {
    /// Which of the replaced ones.
    pub(super) of: usize,
    partitions: Segment,
}

impl NewSegment {
    /// What becomes it of those that are `replaced`, which are in order.
    pub(super) fn made_of(replaced: &[&StoredSegment], segment: Segment) -> Self {
        let first = replaced.partition_point(|one| one.segment.last() < segment.first());
        let parts = replaced.iter().enumerate().skip(first).map_while(|(of, one)| {
            let partitions = one.segment.in_common_with(segment)?;
            Some(CommonPart { of, partitions })
        });
        Self { segment, parts: parts.collect() }
    }

    /// Those of the replaced ones whose partitions in it write to a lane.
    pub(super) fn of_lane(&self, lane: Lane, lanes: LaneCount) -> impl Iterator<Item = usize> {
        let has_lane = move |part: &&CommonPart| part.partitions.has_lane(lane, lanes);
        self.parts.iter().filter(has_lane).map(|part| part.of)
    }

    /// Whether more than one becomes it.
    pub(super) fn is_merged(&self) -> bool {
        self.parts.len() > 1
    }

    /// What is to be kept of it, once those that become it are at one place in each lane. `counts` says whose events it goes
    /// on counting, so that none are counted twice.
    pub(super) fn stored(
        &self,
        replaced: &[&StoredSegment],
        lanes: LaneCount,
        counts: impl Fn(usize) -> bool,
    ) -> StoredSegment {
        let of = || self.parts.iter().map(|part| replaced[part.of]);
        let mut progress = ReadProgress::behind(Offset::beginning(lanes));
        for lane in lanes.iter() {
            let at = |one: &StoredSegment| one.progress.offset().position(lane);
            if !self.segment.has_lane(lane, lanes) {
                // no one reads it there: it only is not to seem behind
                of().for_each(|one| progress.advance(lane, at(one)));
                continue;
            }
            for one in self.of_lane(lane, lanes).map(|of| replaced[of]) {
                progress.advance(lane, at(one));
                one.progress.last(lane).into_iter().for_each(|last| progress.met(lane, last));
            }
        }
        let mut stored = StoredSegment::new(self.segment, progress);
        let counted = self.parts.iter().map(|part| part.of).filter(|of| counts(*of));
        stored.handled = counted.fold(0, |sum, of| sum.saturating_add(replaced[of].handled));
        stored.saved_at = of().map(|one| one.saved_at).max().unwrap_or_default();
        stored.stopped = of().find_map(|one| one.stopped.clone());
        stored
    }
}
