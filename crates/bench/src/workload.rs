//! What a subject and its limits do alike.

/// How many events are replayed, or read.
pub(crate) const EVENTS_REPLAYED: u32 = 100_000;

/// How many events a projection writes a row of, and how many of them in a transaction.
pub(crate) const EVENTS_PROJECTED: u32 = 50_000;
pub(crate) const EVENTS_A_BATCH: u32 = 500;

/// How many entities come into memory.
pub(crate) const ENTITIES_ACTIVATED: u32 = 50_000;

/// How many entities the batches in flight are of.
pub(crate) const ENTITIES_IN_FLIGHT: u32 = 10_000;

/// The most events of a batch: the engine's default.
const BATCH_MAX: u32 = 1_000;

/// How many batches of a lane are under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flight {
    One,
    Two,
}

impl Flight {
    pub(crate) fn batches(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// How many events a batch has when so many callers wait, each for one.
    pub(crate) fn events(self, callers: u32) -> usize {
        (callers / u32::from(self.batches())).clamp(1, BATCH_MAX) as usize
    }
}
