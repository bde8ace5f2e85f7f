use super::ChangedState;
use actum_model::Position;

/// Some changes of the durable states of a lane, in order of position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangePage {
    /// The changes that pass the filter.
    pub changes: Vec<ChangedState>,
    /// How far the page reaches: everything up to here was looked at. The next page starts behind it. Equal to the `after`
    /// of the read when the lane has no change behind it.
    pub read_to: Position,
}

impl ChangePage {
    /// A page of these changes, which reaches up to `read_to`.
    #[must_use]
    pub fn new(changes: Vec<ChangedState>, read_to: Position) -> Self {
        Self { changes, read_to }
    }
}
