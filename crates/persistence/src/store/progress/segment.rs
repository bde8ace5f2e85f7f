use actum_model::{Lane, LaneCount, Partition, PartitionCount};
use std::{fmt, num::NonZeroU16, ops::RangeInclusive};

/// The part of a projection that one runner handles at a time: the entities of a range of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    first: Partition,
    last: Partition,
}

impl Segment {
    /// The partitions from `first` to `last`, both included; none if they are the wrong way round.
    #[must_use]
    pub fn new(first: Partition, last: Partition) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// All partitions of a journal.
    #[must_use]
    pub fn all(partitions: PartitionCount) -> Self {
        Self { first: Partition::new(0), last: Partition::new(partitions.get() - 1) }
    }

    /// All partitions, divided into `count` segments whose sizes differ by one at most; as many as there are partitions if
    /// there are fewer than that.
    #[must_use]
    pub fn divide(partitions: PartitionCount, count: NonZeroU16) -> Vec<Self> {
        let (partitions, count) = (u32::from(partitions.get()), u32::from(count.get()));
        let count = count.min(partitions);
        let bound = |nr: u32| {
            u16::try_from(nr * partitions / count).expect("no larger than a count of partitions")
        };
        let segment =
            |nr| Self { first: Partition::new(bound(nr)), last: Partition::new(bound(nr + 1) - 1) };
        (0..count).map(segment).collect()
    }

    /// Whether two lists of segments have the same partitions, each of them once.
    #[must_use]
    pub fn have_same_partitions(
        some: impl IntoIterator<Item = Self>,
        others: impl IntoIterator<Item = Self>,
    ) -> bool {
        joined(some).is_some_and(|some| joined(others) == Some(some))
    }

    /// The first partition.
    #[must_use]
    pub fn first(self) -> Partition {
        self.first
    }

    /// The last partition.
    #[must_use]
    pub fn last(self) -> Partition {
        self.last
    }

    /// Its partitions.
    #[must_use]
    pub fn partitions(self) -> RangeInclusive<Partition> {
        self.first..=self.last
    }

    /// How many partitions it has.
    #[must_use]
    pub fn count(self) -> usize {
        usize::from(self.last.nr() - self.first.nr()) + 1
    }

    /// The partitions that are in both; none if there are none.
    #[must_use]
    pub fn in_common_with(self, other: Self) -> Option<Self> {
        Self::new(self.first.max(other.first), self.last.min(other.last))
    }

    /// Whether `partition` is in it.
    #[must_use]
    pub fn contains(self, partition: Partition) -> bool {
        self.partitions().contains(&partition)
    }

    /// Whether one of its entities writes to `lane`, of so many.
    #[must_use]
    pub fn has_lane(self, lane: Lane, lanes: LaneCount) -> bool {
        let (first, last, nr) =
            (u32::from(self.first.nr()), u32::from(self.last.nr()), u32::from(lane.nr()));
        let count = u32::from(lanes.get());
        // the first partition of the lane that is not in front of the segment
        nr < count && first + (nr + count - first % count) % count <= last
    }

    /// The lanes that its entities write to, in order.
    pub fn lanes(self, lanes: LaneCount) -> impl Iterator<Item = Lane> {
        lanes.iter().filter(move |lane| self.has_lane(*lane, lanes))
    }
}

/// The fewest segments that have the same partitions, in order; none if one of them is in two.
fn joined(segments: impl IntoIterator<Item = Segment>) -> Option<Vec<Segment>> {
    let mut segments: Vec<_> = segments.into_iter().collect();
    segments.sort_unstable();
    let mut joined: Vec<Segment> = Vec::new();
    for segment in segments {
        match joined.last_mut() {
            Some(last) if segment.first <= last.last => return None,
            Some(last) if segment.first.nr() == last.last.nr() + 1 => last.last = segment.last,
            _ => joined.push(segment),
        }
    }
    Some(joined)
}

/// `0-31`
impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_all_partitions_once_and_of_about_one_size() {
        for partitions in [1, 2, 7, 256, 65_535] {
            for count in [1, 2, 3, 8, 255, 65_535] {
                let all = PartitionCount::new(partitions).unwrap();
                let segments = Segment::divide(all, NonZeroU16::new(count).unwrap());
                assert_eq!(segments.len(), usize::from(partitions.min(count)));
                let sizes: Vec<_> = segments.iter().map(|s| s.last.nr() - s.first.nr()).collect();
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
                assert_eq!(
                    (segments[0].first.nr(), segments.last().unwrap().last.nr()),
                    (0, partitions - 1)
                );
                assert!(
                    segments.windows(2).all(|pair| pair[0].last.nr() + 1 == pair[1].first.nr())
                );
            }
        }
    }

    #[test]
    fn the_lanes_of_a_segment_are_those_of_its_partitions() {
        for count in 1..=5 {
            let lanes = LaneCount::new(count).unwrap();
            for (first, last) in
                (0..12).flat_map(|first| (first..12).map(move |last| (first, last)))
            {
                let segment = Segment::new(Partition::new(first), Partition::new(last)).unwrap();
                let mut expected: Vec<_> = (first..=last)
                    .map(|nr| Lane::of_partition(Partition::new(nr), lanes))
                    .collect();
                expected.sort();
                expected.dedup();
                assert!(!segment.has_lane(Lane::new(count), lanes), "there is no such lane");
                assert_eq!(
                    segment.lanes(lanes).collect::<Vec<_>>(),
                    expected,
                    "{segment} of {count}"
                );
            }
        }
    }

    #[test]
    fn what_two_segments_have_in_common_is_a_range() {
        let segment = |first, last| Segment::new(Partition::new(first), Partition::new(last));
        for (other, expected) in [
            (segment(0, 9), segment(3, 6)),
            (segment(4, 5), segment(4, 5)),
            (segment(0, 3), segment(3, 3)),
            (segment(6, 9), segment(6, 6)),
            (segment(0, 2), None),
            (segment(7, 9), None),
        ] {
            let (one, other) = (segment(3, 6).unwrap(), other.unwrap());
            assert_eq!(one.in_common_with(other), expected);
            assert_eq!(other.in_common_with(one), expected);
        }
    }

    #[test]
    fn segments_are_compared_by_their_partitions() {
        let segments = |bounds: &[(u16, u16)]| {
            let of = |&(first, last)| Segment::new(Partition::new(first), Partition::new(last));
            bounds.iter().map(|bounds| of(bounds).unwrap()).collect::<Vec<_>>()
        };
        let same = |some: &[(u16, u16)], others: &[(u16, u16)]| {
            Segment::have_same_partitions(segments(some), segments(others))
        };
        assert!(same(&[], &[]) && same(&[(3, 3)], &[(3, 3)]));
        assert!(same(&[(0, 65_535)], &[(65_535, 65_535), (0, 7), (8, 65_534)]));
        assert!(same(&[(0, 1), (4, 5)], &[(4, 4), (0, 1), (5, 5)]));
        for others in [&[(0, 4)][..], &[(0, 6)], &[(0, 2), (4, 5)], &[(0, 3), (3, 5)], &[]] {
            assert!(!same(&[(0, 5)], others) && !same(others, &[(0, 5)]), "{others:?}");
        }
        assert!(!same(&[(0, 1), (1, 2)], &[(0, 1), (1, 2)]), "one of them is in two");
    }

    #[test]
    fn a_range_the_wrong_way_round_is_no_segment() {
        assert_eq!(Segment::new(Partition::new(2), Partition::new(1)), None);
    }
}
