use crate::Partition;
use std::{fmt, num::NonZeroU16, str::FromStr};

/// A sub-log of a journal with a total order of its own. Counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(u16);

/// How many lanes a journal has: 1 by default, fixed when the journal is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneCount(NonZeroU16);

/// The place of an event in its lane: dense, in commit order, the first is 1. [`Position::ZERO`] is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(u64);

/// How far a consumer has read: one position a lane, exclusive, so the next read starts behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Offset(Box<[Position]>);

impl Lane {
    /// The lane of number `nr`.
    #[must_use]
    pub const fn new(nr: u16) -> Self {
        Self(nr)
    }

    /// The lane the entities of `partition` write to: the partition's number modulo the number of lanes.
    #[must_use]
    pub fn of_partition(partition: Partition, lanes: LaneCount) -> Self {
        Self(partition.nr() % lanes.get())
    }

    /// Its number, counted from 0.
    #[must_use]
    pub const fn nr(self) -> u16 {
        self.0
    }

    /// Its number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl LaneCount {
    /// The count `n`, none for 0.
    #[must_use]
    pub const fn new(n: u16) -> Option<Self> {
        match NonZeroU16::new(n) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// All lanes, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Lane> {
        (0..self.get()).map(Lane)
    }
}

impl Default for LaneCount {
    fn default() -> Self {
        Self(NonZeroU16::MIN)
    }
}

impl Position {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// The position of number `nr`.
    #[must_use]
    pub const fn new(nr: u64) -> Self {
        Self(nr)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position `n` further on.
    ///
    /// # Panics
    /// When it would pass 2^64 - 1.
    #[must_use]
    pub fn plus(self, n: u64) -> Self {
        Self(self.0.checked_add(n).expect("a lane holds fewer than 2^64 events"))
    }
}

impl Offset {
    /// Before the first event of every lane.
    #[must_use]
    pub fn beginning(lanes: LaneCount) -> Self {
        Self(vec![Position::ZERO; usize::from(lanes.get())].into())
    }

    /// The offset with these positions, the first for lane 0.
    #[must_use]
    pub fn of_positions(positions: impl Into<Box<[Position]>>) -> Self {
        Self(positions.into())
    }

    /// The last position that was read in `lane`; zero for a lane the journal does not have.
    #[must_use]
    pub fn position(&self, lane: Lane) -> Position {
        self.0.get(lane.index()).copied().unwrap_or(Position::ZERO)
    }

    /// All positions, the first for lane 0.
    #[must_use]
    pub fn positions(&self) -> &[Position] {
        &self.0
    }

    /// Moves `lane` to `position`, never back.
    ///
    /// # Panics
    /// When the journal does not have the lane.
    pub fn advance(&mut self, lane: Lane, position: Position) {
        let at = self
            .0
            .get_mut(lane.index())
            .expect("an offset has one position for each lane of its journal");
        *at = position.max(*at);
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Its text, for a link or a header: one position a lane, separated by commas, as `17,40`.
///
/// # Examples
/// ```
/// use actum_model::{Offset, Position};
///
/// let offset = Offset::of_positions([17, 40].map(Position::new));
/// assert_eq!(offset.to_string(), "17,40");
/// assert_eq!("17,40".parse(), Ok(offset));
/// ```
impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nr, position) in self.0.iter().enumerate() {
            let comma = if nr == 0 { "" } else { "," };
            write!(f, "{comma}{}", position.0)?;
        }
        Ok(())
    }
}

/// A text that is not an offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an offset: that is a position for each lane, as `17` or `17,40`")]
pub struct InvalidOffset {
    /// The text; the first 64 characters of a longer one.
    pub text: String,
}

/// What [`Display`](fmt::Display) writes, and nothing else. Whether a journal has as many lanes is not checked.
impl FromStr for Offset {
    type Err = InvalidOffset;

    fn from_str(text: &str) -> Result<Self, InvalidOffset> {
        let positions: Option<Vec<_>> =
            text.split(',').map(|number| plain_number(number).map(Position)).collect();
        positions
            .filter(|positions| positions.len() <= usize::from(u16::MAX))
            .map(Self::of_positions)
            .ok_or_else(|| InvalidOffset { text: text.chars().take(64).collect() })
    }
}

/// A number as it is written: without a sign, and without zeros in front.
pub(crate) fn plain_number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = text.len() == 1 || !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain && is_short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_comes_back_from_its_text_and_no_other_text_is_one() {
        for positions in [&[0][..], &[17, 40], &[u64::MAX, 0, 3]] {
            let positions: Vec<_> = positions.iter().copied().map(Position::new).collect();
            let offset = Offset::of_positions(positions);
            assert_eq!(offset.to_string().parse(), Ok(offset));
        }
        for text in [
            "",
            ",",
            "1,",
            "+1",
            "-1",
            "01",
            "1 ,2",
            "x",
            "18446744073709551616",
            &"1,".repeat(70_000),
        ] {
            let error = text.parse::<Offset>().unwrap_err();
            assert!(
                error.to_string().contains("is not an offset") && error.text.len() <= 64,
                "{error}"
            );
        }
    }
}
