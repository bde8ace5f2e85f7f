use actum_model::{Lane, Offset, Position};
use actum_persistence::{
    progress::{Segment, StoredProjection, StoredSegment},
    store::JournalLayout,
};

/// How far the versions that are not active may read: up to what the active one has saved. So everything they handle was
/// handled before, and is a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowLimit {
    layout: JournalLayout,
    saved: Vec<(Segment, Offset)>,
}

impl FollowLimit {
    /// What the active version has saved.
    #[must_use]
    pub fn of(active: &StoredProjection) -> Self {
        let saved = active.segments.iter();
        let saved = saved.map(|one| (one.segment, one.progress.offset().clone())).collect();
        Self { layout: active.layout, saved }
    }

    /// Up to where a segment may read: in each lane as far as all segments of the active version have come that have
    /// entities of it there.
    #[must_use]
    pub fn of_segment(&self, segment: Segment) -> Offset {
        let read = |lane: Lane| {
            let saved = self.saved.iter().filter(|(of, _)| {
                let both = of.in_common_with(segment);
                both.is_some_and(|both| both.has_lane(lane, self.layout.lanes))
            });
            saved.map(|(_, offset)| offset.position(lane)).min().unwrap_or(Position::ZERO)
        };
        Offset::of_positions(self.layout.lanes.iter().map(read).collect::<Vec<_>>())
    }

    /// Whether a version has saved all of that.
    #[must_use]
    pub fn is_reached_by(&self, version: &StoredProjection) -> bool {
        version.layout == self.layout
            && version.segments.iter().all(|one| {
                let limit = self.of_segment(one.segment);
                let mut lanes = one.segment.lanes(self.layout.lanes);
                lanes.all(|lane| one.progress.offset().position(lane) >= limit.position(lane))
            })
    }

    /// Whether each segment of a version lies in one of the active version, so that it can come exactly as far: where it has
    /// more than one, it waits for the slowest, and what others have handled of it would be live twice.
    #[must_use]
    pub fn has_divided(&self, version: &StoredProjection) -> bool {
        let is_in_one = |one: &StoredSegment| {
            self.saved.iter().any(|(of, _)| of.in_common_with(one.segment) == Some(one.segment))
        };
        version.layout == self.layout && version.segments.iter().all(is_in_one)
    }

    /// The segments of the active version, divided further where `wanted` are: so that each of them lies in one of the active
    /// version.
    #[must_use]
    pub fn divided(&self, wanted: &[Segment]) -> Vec<Segment> {
        let both = |segment: Segment| {
            self.saved.iter().filter_map(move |(of, _)| of.in_common_with(segment))
        };
        let mut divided: Vec<_> = wanted.iter().flat_map(|segment| both(*segment)).collect();
        divided.sort_unstable();
        divided
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{LaneCount, Partition, PartitionCount};
    use actum_persistence::progress::{NewProjection, ProjectionId, ReadProgress};
    use std::num::{NonZeroU16, NonZeroU32};

    fn segment(first: u16, last: u16) -> Segment {
        Segment::new(Partition::new(first), Partition::new(last)).unwrap()
    }

    fn offset(positions: [u64; 2]) -> Offset {
        Offset::of_positions(positions.map(Position::new))
    }

    /// One of a journal of two lanes and eight partitions that has come so far.
    fn version(saved: &[(Segment, [u64; 2])]) -> StoredProjection {
        let (lanes, partitions) = (LaneCount::new(2).unwrap(), PartitionCount::new(8).unwrap());
        let new = NewProjection {
            id: ProjectionId::new("balances", NonZeroU32::MIN).unwrap(),
            sources: Vec::new(),
            layout: JournalLayout { partitions, lanes },
            segments: saved.iter().map(|(segment, _)| *segment).collect(),
            start: Offset::beginning(lanes),
            live_from: Offset::beginning(lanes),
        };
        let mut stored = StoredProjection::new(new, true);
        for (one, (_, positions)) in stored.segments.iter_mut().zip(saved) {
            one.progress = ReadProgress::behind(offset(*positions));
        }
        stored
    }

    #[test]
    fn a_segment_may_read_what_all_have_saved_that_have_its_entities() {
        let active = version(&[
            (segment(0, 3), [40, 50]),
            (segment(4, 4), [30, 10]),
            (segment(5, 7), [60, 70]),
        ]);
        let limit = FollowLimit::of(&active);
        for (of, expected) in [
            (segment(0, 3), [40, 50]),
            (segment(0, 1), [40, 50]),
            (segment(6, 7), [60, 70]),
            // partition 4 has entities of lane 0 only
            (segment(4, 7), [30, 70]),
            (segment(0, 7), [30, 50]),
        ] {
            assert_eq!(limit.of_segment(of), offset(expected), "{of}");
        }
        assert_eq!(active.read_to(), offset([30, 50]));
    }

    #[test]
    fn it_is_reached_when_every_segment_has_saved_it_in_its_lanes() {
        let limit =
            FollowLimit::of(&version(&[(segment(0, 3), [40, 50]), (segment(4, 7), [60, 70])]));
        let reached = |saved: &[(Segment, [u64; 2])]| limit.is_reached_by(&version(saved));
        assert!(reached(&[(segment(0, 3), [40, 50]), (segment(4, 7), [61, 70])]));
        assert!(!reached(&[(segment(0, 3), [40, 50]), (segment(4, 7), [60, 69])]));
        assert!(!reached(&[(segment(0, 3), [39, 50]), (segment(4, 7), [60, 70])]));
        assert!(reached(&[(segment(0, 7), [40, 50])]));
        assert!(reached(&[(segment(0, 0), [40, 0]), (segment(1, 7), [40, 50])]), "0 has one lane");
    }

    #[test]
    fn a_version_is_divided_as_the_active_one_when_each_segment_lies_in_one_of_it() {
        let active = version(&[(segment(0, 3), [40, 50]), (segment(4, 7), [60, 70])]);
        let limit = FollowLimit::of(&active);
        let is_divided = |segments: &[Segment]| {
            let saved: Vec<_> = segments.iter().map(|one| (*one, [0, 0])).collect();
            limit.has_divided(&version(&saved))
        };
        assert!(is_divided(&[segment(0, 3), segment(4, 7)]));
        assert!(is_divided(&[segment(0, 0), segment(1, 3), segment(4, 7)]));
        assert!(!is_divided(&[segment(0, 7)]));
        assert!(!is_divided(&[segment(0, 2), segment(3, 4), segment(5, 7)]));
    }

    #[test]
    fn a_new_version_is_divided_as_the_active_one_at_least() {
        let all = PartitionCount::new(8).unwrap();
        let divided = |active: u16, wanted: u16| {
            let divide = |count| Segment::divide(all, NonZeroU16::new(count).unwrap());
            let saved: Vec<_> = divide(active).into_iter().map(|one| (one, [0, 0])).collect();
            FollowLimit::of(&version(&saved)).divided(&divide(wanted))
        };
        assert_eq!(divided(1, 8).len(), 8);
        assert_eq!(divided(8, 1).len(), 8);
        assert_eq!(divided(2, 2), [segment(0, 3), segment(4, 7)]);
        assert_eq!(divided(2, 3), [segment(0, 1), segment(2, 3), segment(4, 4), segment(5, 7)]);
    }
}
