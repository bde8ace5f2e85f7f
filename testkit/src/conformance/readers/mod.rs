//! What cases need that run projections and subscriptions over a store: processes that read, and a journal that is written.

mod label;
mod reader_places;
mod reader_process;
mod tally;
mod until;
mod written_journal;

pub(super) use label::Label;
pub(super) use reader_process::ReaderProcess;
pub(super) use tally::Tally;
pub(super) use until::{PATIENCE, soon, until};
pub(super) use written_journal::{WrittenJournal, happened_at, note, stream, tally};

/// A lease that is waited for: long enough for a machine that is busy, in which no one loses it who renews it.
pub(super) const READER_LEASE: std::time::Duration = std::time::Duration::from_secs(2);

/// An event, as the cases compare it: the id of its entity, and its number within that.
pub(super) type SeenEvent = (String, u64);

/// Events of an entity by their numbers.
pub(super) fn numbers(id: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<SeenEvent> {
    numbers.into_iter().map(|nr| (id.to_owned(), nr)).collect()
}
