use actum_persistence::progress::{DeadLetter, DeadLetterPlace};

/// What has happened and is not saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Unkept {
    /// How many events were acknowledged.
    pub(super) acknowledged: u64,
    /// How many events were settled, also those that were skipped.
    pub(super) settled: u64,
    /// How many of those are in the save that was made last.
    pub(super) in_save: u64,
    pub(super) parked: Vec<DeadLetter>,
    pub(super) replayed: Vec<DeadLetterPlace>,
}

impl Unkept {
    pub(super) fn has(&self, place: &DeadLetterPlace) -> bool {
        self.replayed.contains(place) || self.parked.iter().any(|letter| letter.place == *place)
    }

    /// Whether it has more than progress.
    pub(super) fn has_letters(&self) -> bool {
        !(self.parked.is_empty() && self.replayed.is_empty())
    }
}
