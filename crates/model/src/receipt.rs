use crate::{Lane, Position, Revision, SequenceNr, position::plain_number};
use std::{fmt, str::FromStr};

/// Where a command left its entity: what to wait for when a read model must show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The entity's last event, or revision, that the answer depends on.
    pub sequence_nr: SequenceNr,
    /// The lane of the entity.
    pub lane: Lane,
    /// A position in that lane at or behind everything the answer depends on. `None` for durable states, and as long as
    /// an entity has read and stored no event since it came into memory: without any, or right behind a snapshot.
    pub position: Option<Position>,
}

impl Receipt {
    /// A receipt of a command that left its entity at `sequence_nr`; for tests of code that takes one.
    #[must_use]
    pub fn new(sequence_nr: SequenceNr, lane: Lane, position: Option<Position>) -> Self {
        Self { sequence_nr, lane, position }
    }
}

/// The revision an entity is at as long as nothing else changes it: what the next command may
/// expect.
impl From<Receipt> for Revision {
    fn from(receipt: Receipt) -> Self {
        receipt.sequence_nr.into()
    }
}

/// Its text, for a header or a cookie: the sequence number, the lane and, if there is one, the position, as `3.0.17`.
///
/// # Examples
/// ```
/// use actum_model::{Lane, Position, Receipt, SequenceNr};
///
/// let receipt = Receipt::new(SequenceNr::new(3), Lane::new(0), Some(Position::new(17)));
/// assert_eq!(receipt.to_string(), "3.0.17");
/// assert_eq!("3.0.17".parse(), Ok(receipt));
/// ```
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequence_nr.get(), self.lane.nr())?;
        self.position.map_or(Ok(()), |position| write!(f, ".{}", position.get()))
    }
}

/// A text that is not a receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a receipt: that is two or three numbers, as `3.0.17`")]
pub struct InvalidReceipt {
    /// The text; the first 64 characters of a longer one.
    pub text: String,
}

/// What [`Display`](fmt::Display) writes, and nothing else.
impl FromStr for Receipt {
    type Err = InvalidReceipt;

    fn from_str(text: &str) -> Result<Self, InvalidReceipt> {
        let read = || {
            let mut numbers = text.split('.');
            let sequence_nr = SequenceNr::new(plain_number(numbers.next()?)?);
            let lane = Lane::new(u16::try_from(plain_number(numbers.next()?)?).ok()?);
            let position = match numbers.next() {
                Some(position) => Some(Position::new(plain_number(position)?)),
                None => None,
            };
            numbers.next().is_none().then_some(Self { sequence_nr, lane, position })
        };
        read().ok_or_else(|| InvalidReceipt { text: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_comes_back_from_its_text() {
        for (nr, lane, position) in
            [(0, 0, None), (3, 0, Some(17)), (7, 4, None), (u64::MAX, u16::MAX, Some(u64::MAX))]
        {
            let position = position.map(Position::new);
            let receipt = Receipt::new(SequenceNr::new(nr), Lane::new(lane), position);
            assert_eq!(receipt.to_string().parse(), Ok(receipt));
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        let long = "9".repeat(100);
        for text in [
            "",
            ".",
            "1",
            "1.",
            "1.2.",
            "1.2.3.4",
            "+1.2",
            "-1.2",
            "01.2",
            "1.65536",
            "a.b",
            "1. 2",
            "18446744073709551616.0",
            &long,
        ] {
            let error = text.parse::<Receipt>().unwrap_err();
            assert!(error.to_string().contains("is not a receipt"), "{error}");
            assert!(error.text.len() <= 64);
        }
    }
}
