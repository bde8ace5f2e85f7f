use std::fmt;

/// One life of a writer: the fence that every write carries. Numbers grow, and none is used twice in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(u64);

impl Incarnation {
    /// The incarnation of number `nr`.
    #[must_use]
    pub const fn new(nr: u64) -> Self {
        Self(nr)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
