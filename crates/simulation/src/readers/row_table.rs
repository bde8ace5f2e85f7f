use crate::{
    fold,
    journal::{EventAtNr, Journal},
};

/// What a projection has written: for each entity how many events it has handled, and the sum of what is in them. Which ones
/// they were shows in the sum; in which order does not, as with balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowTable(Vec<(u64, u64)>);

impl RowTable {
    pub(super) fn new(entities: usize) -> Self {
        Self(vec![(0, 0); entities])
    }

    pub(super) fn add(&mut self, at: EventAtNr, journal: &Journal) {
        let row = &mut self.0[at.entity as usize];
        *row = (row.0 + 1, row.1.wrapping_add(worth(at, journal)));
    }

    /// The event is not in the rows any more.
    pub(super) fn subtract(&mut self, at: EventAtNr, journal: &Journal) {
        let row = &mut self.0[at.entity as usize];
        *row = (row.0.saturating_sub(1), row.1.wrapping_sub(worth(at, journal)));
    }
}

fn worth(at: EventAtNr, journal: &Journal) -> u64 {
    let event = journal.event(at);
    let bytes = event.payload.bytes.iter().fold(at.nr, |sum, byte| fold(sum, u64::from(*byte)));
    fold(bytes, event.position.get())
}
