use crate::cell::{FoundRecord, FoundState};
use actum_model::SequenceNr;
use actum_persistence::store::Recovered;

/// What a read brings, of either model.
#[derive(Debug)]
pub enum Found {
    /// A snapshot and events.
    Events(Recovered),
    /// Something of a durable state.
    State(FoundState),
    /// The record of the command whose last change has this number.
    Record { sequence_nr: SequenceNr, found: FoundRecord },
}
