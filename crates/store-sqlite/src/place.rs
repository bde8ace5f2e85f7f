use actum_model::{Lane, LaneCount, Position};

/// How lane and position become the integer key of an event, so that the order of the lane is the order of the table:
/// appends go to the end of a B-tree, and no index besides it is needed to read a lane.
///
/// ```text
/// bit 63   62 … position_bits        position_bits - 1 … 0
///      0   lane                      position
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    position_bits: u32,
}

impl Places {
    /// The places of a journal with `lanes`: the fewer lanes, the more positions each has, at least 2^47.
    pub(crate) fn new(lanes: LaneCount) -> Self {
        let highest = lanes.get() - 1;
        let lane_bits = u16::BITS - highest.leading_zeros();
        Self { position_bits: 63 - lane_bits }
    }

    /// The place of `position` in `lane`; none if the lane cannot be that long.
    pub(crate) fn place(self, lane: Lane, position: Position) -> Option<i64> {
        let fits = position.get() <= self.position_max().cast_unsigned();
        fits.then(|| self.before(lane) + position.get().cast_signed())
    }

    /// As [`place`](Self::place), the last one of the lane for a position it cannot have.
    pub(crate) fn place_at_most(self, lane: Lane, position: Position) -> i64 {
        self.place(lane, position).unwrap_or_else(|| self.end(lane))
    }

    /// The place before the first event of `lane`: that of position 0.
    pub(crate) fn before(self, lane: Lane) -> i64 {
        i64::from(lane.nr()).unbounded_shl(self.position_bits)
    }

    /// The last place `lane` can have.
    pub(crate) fn end(self, lane: Lane) -> i64 {
        self.before(lane) + self.position_max()
    }

    /// The position that a place in the table stands for.
    pub(crate) fn position(self, place: i64) -> Position {
        Position::new((place & self.position_max()).cast_unsigned())
    }

    /// How many bits a position has.
    pub(crate) fn position_bits(self) -> u32 {
        self.position_bits
    }

    /// The last position a lane can have.
    pub(crate) fn position_max(self) -> i64 {
        i64::MAX >> (63 - self.position_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(lanes: u16) -> Places {
        Places::new(LaneCount::new(lanes).unwrap())
    }

    #[test]
    fn with_one_lane_the_place_is_the_position() {
        for nr in [0, 1, 1 << 31, 1 << 48, i64::MAX.cast_unsigned()] {
            let place = places(1).place(Lane::new(0), Position::new(nr));
            assert_eq!(place, Some(nr.cast_signed()));
            assert_eq!(places(1).position(nr.cast_signed()), Position::new(nr));
        }
        assert_eq!(places(1).place(Lane::new(0), Position::new(1 << 63)), None);
    }

    #[test]
    fn lanes_lie_behind_each_other_without_touching() {
        for lanes in [1, 2, 3, 4, 5, 256, 257, u16::MAX] {
            let places = places(lanes);
            let mut end_of_former = -1;
            for lane in (0..lanes).map(Lane::new) {
                assert_eq!(places.before(lane), end_of_former + 1, "lane {lane} of {lanes}");
                assert_eq!(places.before(lane), i64::from(lane.nr()) << places.position_bits());
                let longest = places.position(places.end(lane));
                assert_eq!(longest.get(), places.position_max().cast_unsigned());
                assert!(longest.get() >= (1 << 47) - 1);
                assert_eq!(places.place(lane, longest), Some(places.end(lane)));
                assert_eq!(places.place(lane, longest.plus(1)), None);
                assert_eq!(places.place_at_most(lane, longest.plus(1)), places.end(lane));
                assert_eq!(places.position(places.before(lane)), Position::ZERO);
                end_of_former = places.end(lane);
            }
        }
    }
}
