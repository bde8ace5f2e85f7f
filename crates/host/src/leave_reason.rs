/// Why an entity leaves memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// It was not used for its idle timeout.
    Idle,
    /// The engine holds more entities, or more command ids, than it may.
    Cap,
    /// A handler asked for it.
    Asked,
    /// Its partition is handed off, or its engine stops.
    Drained,
    /// An append failed: its state may be ahead of the journal.
    AppendFailed,
    /// It could not be read.
    NotRecovered,
    /// Its code panicked in the middle of a change: its state is not what its events make of it.
    Unsound,
    /// The journal has lost events, maybe some that its state was made of.
    JournalRegressed,
    /// Its engine was not waited for any longer.
    Abandoned,
}

impl LeaveReason {
    /// What it is called in logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Cap => "cap",
            Self::Asked => "asked",
            Self::Drained => "drained",
            Self::AppendFailed => "append_failed",
            Self::NotRecovered => "not_recovered",
            Self::Unsound => "unsound",
            Self::JournalRegressed => "journal_regressed",
            Self::Abandoned => "abandoned",
        }
    }
}
