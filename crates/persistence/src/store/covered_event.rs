use super::{EntityPage, EntityRead, EventStore, PageLimit, Snapshot, StoreError};
use actum_model::{SequenceNr, Timestamp};

/// What a journal says about the event that a snapshot of an entity claims to cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoveredEvent {
    /// The sequence number of the entity's last event, deleted ones included.
    pub head: SequenceNr,
    /// Events up to and including this one were deleted.
    pub floor: SequenceNr,
    /// When the event was stored; `None` if it is not there.
    pub timestamp: Option<Timestamp>,
}

impl CoveredEvent {
    /// What `page` says about the event `nr`, when it was read right before that event.
    #[must_use]
    pub fn of(page: &EntityPage, nr: SequenceNr) -> Self {
        let event = page.events.first().filter(|event| event.sequence_nr == nr);
        Self { head: page.head, floor: page.floor, timestamp: event.map(|event| event.timestamp) }
    }
}

/// What the journal says about the event that each of these snapshots covers, in their order.
pub(super) async fn covered_events(
    events: &dyn EventStore,
    snapshots: &[&Snapshot],
) -> Result<Vec<CoveredEvent>, StoreError> {
    if snapshots.is_empty() {
        return Ok(Vec::new());
    }
    let before = |snapshot: &&Snapshot| EntityRead {
        entity: snapshot.entity.clone(),
        after: snapshot.sequence_nr.previous(),
    };
    let reads: Vec<_> = snapshots.iter().map(before).collect();
    let pages = events.read_entities(&reads, PageLimit::one_event()).await?;
    let covered = snapshots.iter().zip(pages);
    Ok(covered.map(|(snapshot, page)| CoveredEvent::of(&page, snapshot.sequence_nr)).collect())
}

/// The error of a store that returned fewer pages than were read.
pub(super) fn unanswered() -> StoreError {
    StoreError::corrupt("a read was not answered")
}
