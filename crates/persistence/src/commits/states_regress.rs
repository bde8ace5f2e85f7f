use std::fmt;

/// A journal has lost changes of durable states, counted over all lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatesRegress {
    /// How many changes it had had at least.
    pub known: u64,
    /// How many it has.
    pub found: u64,
}

impl fmt::Display for StatesRegress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, found } = self;
        write!(f, "it had {known} changes of durable states, and has {found}")
    }
}
