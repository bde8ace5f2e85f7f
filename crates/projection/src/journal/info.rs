use actum_model::Offset;
use actum_persistence::store::JournalLayout;

/// What a journal is, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalInfo {
    /// How it is divided.
    pub layout: JournalLayout,
    /// The position of the last event of every lane.
    pub heads: Offset,
    /// The kinds of which the store of events knows an entity, in the order of bytes: of both models, unless durable states
    /// are kept in another product. At most
    /// [`KINDS_LISTED_MAX`](actum_persistence::store::bounds::KINDS_LISTED_MAX).
    pub kinds: Vec<String>,
}

impl JournalInfo {
    /// How many events were ever stored, deleted ones included.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.heads.positions().iter().map(|head| head.get()).sum()
    }
}
