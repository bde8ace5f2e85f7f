use std::fmt;

/// Counts the owners of what is claimed: of a segment, to which every claim, release, stop, rewind and activation gives the next
/// one, and of a [partition](crate::members). What is saved under an older epoch is refused, so a runner that was replaced
/// changes nothing. Zero for what was never claimed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch of number `nr`.
    #[must_use]
    pub const fn new(nr: u64) -> Self {
        Self(nr)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one behind it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
