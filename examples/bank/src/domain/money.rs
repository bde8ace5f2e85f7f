use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// An amount of money in minor units, such as cents: a whole number from 0 to [`Money::MAX`], never a float.
///
/// All arithmetic is checked, and what is read is checked too: a float, a negative number or one that is too large is
/// no money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Money(u64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount, 2^63 - 1 minor units: it fits a signed column of any database.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// So many minor units; none if that is more than [`Money::MAX`].
    #[must_use]
    pub const fn new(minor_units: u64) -> Option<Self> {
        if minor_units > Self::MAX.0 { None } else { Some(Self(minor_units)) }
    }

    /// How many minor units it is.
    #[must_use]
    pub const fn minor_units(self) -> u64 {
        self.0
    }

    /// The sum; none if that is more than [`Money::MAX`].
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Self::new(sum),
            None => None,
        }
    }

    /// The difference; none if `other` is more.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(MoneyVisitor)
    }
}

/// Takes whole numbers and nothing else; for everything else the error says what was expected.
struct MoneyVisitor;

impl de::Visitor<'_> for MoneyVisitor {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number of minor units from 0 to {}", Money::MAX)
    }

    fn visit_u64<E: de::Error>(self, minor_units: u64) -> Result<Money, E> {
        Money::new(minor_units)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(minor_units), &self))
    }
}
