use actum_host::Receipt;
use actum_model::SequenceNr;

/// Where a stream must be for an append to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Its last event has this number, [zero](SequenceNr::ZERO) for a stream without any. Otherwise the append ends in
    /// [`AppendError::Conflict`](crate::AppendError::Conflict).
    Nr(SequenceNr),
    /// Wherever it is: the events go behind those that are there, also behind the ones that others append meanwhile.
    Any,
}

impl Expected {
    /// The stream has no event yet.
    pub const NEW: Self = Self::Nr(SequenceNr::ZERO);
}

impl From<SequenceNr> for Expected {
    fn from(nr: SequenceNr) -> Self {
        Self::Nr(nr)
    }
}

/// Where an earlier append left the stream.
impl From<Receipt> for Expected {
    fn from(receipt: Receipt) -> Self {
        Self::Nr(receipt.sequence_nr)
    }
}
