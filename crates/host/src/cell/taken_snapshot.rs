use actum_model::SequenceNr;
use actum_persistence::store::Snapshot;

/// A snapshot that was taken.
#[derive(Clone, Debug)]
pub struct TakenSnapshot {
    pub snapshot: Snapshot,
    /// The oldest event that holds a reply which is still promised, if any does: it and those behind it must stay.
    pub needed_from: Option<SequenceNr>,
}
