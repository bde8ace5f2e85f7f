use super::{EntityPage, PageLimit, Snapshot, StoreError};
use actum_model::{EntityKey, SequenceNr};
use async_trait::async_trait;

/// Asks for what an event-sourced entity recovers from.
#[derive(Clone, Debug)]
pub struct RecoveryRead {
    /// The entity.
    pub entity: EntityKey,
    /// Whether a snapshot is wanted; otherwise events are read from the first.
    pub snapshot: bool,
}

/// The newest snapshot of an entity that can be used, and the first page of the events behind it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recovered {
    /// The snapshot; `None` if there is none that can be used, or none was wanted.
    pub snapshot: Option<Snapshot>,
    /// The events behind the snapshot, or from the first.
    pub page: EntityPage,
    /// Why the newest snapshot was skipped, as a sentence for a person; `None` if it was not, or is not known.
    pub skipped: Option<String>,
}

impl Recovered {
    /// A snapshot, if there is one, and the page behind it.
    #[must_use]
    pub fn new(snapshot: Option<Snapshot>, page: EntityPage) -> Self {
        Self { snapshot, page, skipped: None }
    }

    /// The sequence number the page begins behind: that of the snapshot, or zero.
    #[must_use]
    pub fn taken_at(&self) -> SequenceNr {
        self.snapshot.as_ref().map_or(SequenceNr::ZERO, |snapshot| snapshot.sequence_nr)
    }
}

/// Reads snapshot and tail together, of many entities at once.
///
/// # Contract
/// * Each answer is consistent: the page starts right behind the snapshot that comes with it.
/// * A snapshot is a hint. One that cannot be read, or does not [fit](Snapshot::fit) the journal because it is ahead of
///   it or of another history, is skipped, and the next older one or the events are used:
///   [`recover_carefully`](super::recover_carefully) does that for any store.
///
/// # Cancel safety
/// Dropping the future has no effect.
#[async_trait]
pub trait RecoveryStore: Send + Sync + 'static {
    /// Reads what these entities recover from, answers in their order. The limit holds for each entity.
    ///
    /// # Errors
    /// [`StoreError`] when the read fails as a whole; never because of a snapshot, unless the snapshot store cannot be
    /// reached, or none can be read and events were deleted.
    async fn recover(
        &self,
        reads: &[RecoveryRead],
        limit: PageLimit,
    ) -> Result<Vec<Recovered>, StoreError>;
}
