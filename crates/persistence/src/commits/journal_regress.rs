use actum_model::{Lane, Position};
use std::fmt;

/// A journal has lost events of a lane: an asynchronous replica has taken over, or a backup was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalRegress {
    /// The lane.
    pub lane: Lane,
    /// The position of an event that had been there.
    pub known: Position,
    /// The position behind which it was not there any more.
    pub found: Position,
}

impl fmt::Display for JournalRegress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, known, found } = self;
        write!(f, "lane {lane} had reached {known}, and ends at {found}")
    }
}
