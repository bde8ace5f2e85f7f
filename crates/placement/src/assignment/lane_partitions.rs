use actum_model::{Lane, Partition};
use std::{cmp::Reverse, collections::BTreeMap};

/// Partitions by their lane, in the order they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LanePartitions(BTreeMap<Lane, Vec<Partition>>);

impl LanePartitions {
    /// Adds a partition.
    pub(super) fn push(&mut self, lane: Lane, partition: Partition) {
        self.0.entry(lane).or_default().push(partition);
    }

    /// How many partitions these are.
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// How many of them are of each lane.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (Lane, usize)> {
        self.0.iter().map(|(lane, partitions)| (*lane, partitions.len()))
    }

    /// Gives up all but `quota` partitions, and keeps the lanes of which it has most: so it keeps as few lanes as it can.
    ///
    /// Of one lane it may keep a part. That is the first lane with enough partitions, and it keeps its first ones. So when
    /// some of those it gives up have gone it gives up the others, and the same are kept: lanes that are kept whole have
    /// stayed the largest, and no lane comes to have enough that had not.
    pub(super) fn give_up_beyond(&mut self, quota: usize) -> Vec<(Lane, Partition)> {
        let mut order: Vec<_> = self.lanes().collect();
        order.sort_by_key(|(lane, len)| (Reverse(*len), *lane));
        let mut room = quota;
        let mut keeps = BTreeMap::new();
        let mut rest = order.iter().peekable();
        while let Some((lane, len)) = rest.next_if(|(_, len)| *len <= room) {
            keeps.insert(*lane, *len);
            room -= len;
        }
        let enough = rest.filter(|(_, len)| *len >= room).map(|(lane, _)| *lane);
        keeps.extend(enough.min().filter(|_| room > 0).map(|lane| (lane, room)));
        let mut given_up = Vec::new();
        for (lane, partitions) in &mut self.0 {
            let kept = keeps.get(lane).copied().unwrap_or(0);
            given_up.extend(partitions.drain(kept..).map(|partition| (*lane, partition)));
        }
        self.0.retain(|_, partitions| !partitions.is_empty());
        given_up
    }

    /// Removes the first `count` partitions of a lane.
    pub(super) fn take(&mut self, lane: Lane, count: usize) -> Vec<Partition> {
        let Some(partitions) = self.0.get_mut(&lane) else { return Vec::new() };
        let taken = partitions.drain(..count.min(partitions.len())).collect();
        if partitions.is_empty() {
            self.0.remove(&lane);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many partitions of each lane.
    fn holding(lanes: &[usize]) -> LanePartitions {
        let mut holding = LanePartitions::default();
        for (lane, len) in (0u16..).zip(lanes) {
            for nr in (0u16..).take(*len) {
                holding.push(Lane::new(lane), Partition::new(100 * lane + nr));
            }
        }
        holding
    }

    fn kept(lanes: &[usize], quota: usize) -> Vec<(u16, usize)> {
        let mut holding = holding(lanes);
        let given_up = holding.give_up_beyond(quota);
        assert_eq!(holding.len() + given_up.len(), lanes.iter().sum::<usize>());
        holding.lanes().map(|(lane, len)| (lane.nr(), len)).collect()
    }

    #[test]
    fn the_largest_lanes_are_kept_and_of_one_more_a_part() {
        assert_eq!(kept(&[3, 5, 9], 17), [(0, 3), (1, 5), (2, 9)]);
        assert_eq!(kept(&[3, 5, 9], 14), [(1, 5), (2, 9)]);
        assert_eq!(kept(&[3, 5, 9], 11), [(0, 2), (2, 9)]);
        assert_eq!(kept(&[3, 5, 9], 13), [(1, 4), (2, 9)]);
        assert_eq!(kept(&[3, 5, 9], 4), [(1, 4)]);
        assert_eq!(kept(&[3, 5, 9], 0), []);
    }

    #[test]
    fn what_it_gives_up_does_not_change_when_a_part_of_it_has_gone() {
        for seed in 0..2_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let lanes: Vec<_> = (0..rng.usize(1..6)).map(|_| rng.usize(0..9)).collect();
            let quota = rng.usize(0..=lanes.iter().sum());
            let mut whole = holding(&lanes);
            let mut given_up = whole.give_up_beyond(quota);
            let gone: Vec<_> = given_up.extract_if(.., |_| rng.bool()).collect();
            let mut rest = LanePartitions::default();
            let is_gone = |partition| gone.iter().any(|(_, nr)| *nr == partition);
            for (lane, partitions) in &holding(&lanes).0 {
                partitions.iter().filter(|nr| !is_gone(**nr)).for_each(|nr| rest.push(*lane, *nr));
            }
            let later = rest.give_up_beyond(quota);
            assert_eq!((&rest, later), (&whole, given_up), "seed {seed}: {quota} of {lanes:?}");
        }
    }
}
