use super::lane_partitions::LanePartitions;
use actum_model::{Lane, Partition};
use std::cmp::Reverse;

/// Distributes partitions among members that have room for them, so that each lane comes to few of them.
#[derive(Debug)]
pub(super) struct Filling {
    pool: LanePartitions,
    /// How many more partitions each member takes.
    room: Vec<usize>,
    /// Which member gets which partition.
    filled: Vec<(Partition, usize)>,
}

impl Filling {
    /// Distributes the partitions of `pool`, as many as there is `room`, to members that keep these.
    pub(super) fn distribute(
        pool: LanePartitions,
        kept: &[LanePartitions],
        room: Vec<usize>,
    ) -> Vec<(Partition, usize)> {
        debug_assert_eq!(pool.len(), room.iter().sum::<usize>(), "each partition has its place");
        let mut filling = Self { pool, room, filled: Vec::new() };
        filling.fill_lanes_of(kept);
        filling.fill_as_few_as_possible();
        filling.filled
    }

    /// A lane goes on with a member that has some of it, the one with most first.
    fn fill_lanes_of(&mut self, kept: &[LanePartitions]) {
        let lanes = kept.iter().enumerate();
        let mut pairs: Vec<_> = lanes
            .flat_map(|(nr, holding)| {
                holding.lanes().map(move |(lane, len)| (Reverse(len), lane, nr))
            })
            .collect();
        pairs.sort_unstable();
        for (_, lane, nr) in pairs {
            self.fill(lane, nr, self.room[nr]);
        }
    }

    /// Best fit decreasing: the largest lane first, to the member with the least room that takes it whole; if there is
    /// none, to the one with most room, and the rest of the lane again. Each step leaves a lane or a member behind, and the
    /// last one both: so these are at most as many steps as lanes and members with room, less one.
    fn fill_as_few_as_possible(&mut self) {
        let mut lanes: Vec<_> = self.pool.lanes().collect();
        lanes.sort_by_key(|(lane, len)| (Reverse(*len), *lane));
        for (lane, mut len) in lanes {
            while len > 0 {
                let with_room = || self.room.iter().enumerate().filter(|(_, room)| **room > 0);
                let whole = with_room().filter(|(_, room)| **room >= len);
                let best = whole.min_by_key(|(_, room)| **room);
                let best =
                    best.or_else(|| with_room().max_by_key(|(nr, room)| (**room, Reverse(*nr))));
                let Some((nr, room)) = best.map(|(nr, room)| (nr, *room)) else { return };
                self.fill(lane, nr, room);
                len = len.saturating_sub(room);
            }
        }
    }

    fn fill(&mut self, lane: Lane, nr: usize, count: usize) {
        let taken = self.pool.take(lane, count);
        self.room[nr] -= taken.len();
        self.filled.extend(taken.into_iter().map(|partition| (partition, nr)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(lanes: &[(u16, u16)]) -> LanePartitions {
        let mut holding = LanePartitions::default();
        for (lane, len) in lanes {
            (0..*len)
                .for_each(|nr| holding.push(Lane::new(*lane), Partition::new(100 * lane + nr)));
        }
        holding
    }

    /// How many partitions of each lane each member gets.
    fn filled<const N: usize>(
        pool: &[(u16, u16)],
        kept: [&[(u16, u16)]; N],
        room: [usize; N],
    ) -> [Vec<(u16, usize)>; N] {
        let filled = Filling::distribute(holding(pool), &kept.map(holding), room.to_vec());
        std::array::from_fn(|nr| {
            let mut of_member = LanePartitions::default();
            for (partition, _) in filled.iter().filter(|(_, member)| *member == nr) {
                of_member.push(Lane::new(partition.nr() / 100), *partition);
            }
            of_member.lanes().map(|(lane, len)| (lane.nr(), len)).collect()
        })
    }

    #[test]
    fn a_lane_goes_on_with_those_that_have_most_of_it() {
        let gets = filled(&[(0, 5), (1, 4)], [&[(1, 1)], &[(0, 2)], &[(0, 9)]], [4, 2, 3]);
        assert_eq!(gets, [vec![(1, 4)], vec![(0, 2)], vec![(0, 3)]]);
    }

    #[test]
    fn a_lane_goes_whole_to_the_member_with_the_least_room_that_takes_it() {
        let gets = filled(&[(0, 8), (1, 5)], [&[], &[], &[]], [6, 5, 2]);
        assert_eq!(gets, [vec![(0, 6)], vec![(1, 5)], vec![(0, 2)]]);
    }

    #[test]
    fn a_lane_that_no_one_takes_whole_goes_to_those_with_most_room() {
        let gets = filled(&[(0, 9), (1, 2)], [&[], &[], &[], &[]], [1, 4, 5, 1]);
        assert_eq!(gets, [vec![(1, 1)], vec![(0, 4)], vec![(0, 5)], vec![(1, 1)]]);
    }
}
