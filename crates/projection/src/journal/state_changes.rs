use super::{Changed, Events, ReadError, changed::of_state};
use actum_model::{Lane, Offset, Partition, StoredPayload};
use actum_persistence::store::PageLimit;
use std::{fmt, ops::RangeInclusive};

/// Changes of durable states: those of a lane in the order in which they were committed, and lanes page by page in turn.
///
/// There is one change for each entity, its last, deletions included: a write moves its entity to the end. So what a reader
/// meets is the latest state of each entity that has changed behind its offset, and not every state in between.
///
/// What is set must be set before the first [`next`](Self::next), which begins to read. It ends where the changes ended then, or
/// [where it is to](Self::to); an entity that is written meanwhile comes to a reader that goes on from its
/// [`offset`](Self::offset). That is an offset of changes: the one of [`Journal::change_heads`](super::Journal::change_heads), and
/// none of events.
#[must_use = "nothing is read before the first `next`"]
pub struct StateChanges<S> {
    events: Events<Option<S>>,
}

impl<S> StateChanges<S> {
    /// Reads what is shown as events.
    pub(super) fn new(events: Events<Option<S>>) -> Self {
        Self { events }
    }

    /// Begins behind `offset`.
    pub fn after(self, offset: Offset) -> Self {
        Self { events: self.events.after(offset) }
    }

    /// Ends with what is at `end` in each lane, if that is there.
    pub fn to(self, end: Offset) -> Self {
        Self { events: self.events.to(end) }
    }

    /// Reads this lane only.
    pub fn of_lane(self, lane: Lane) -> Self {
        Self { events: self.events.of_lane(lane) }
    }

    /// Only entities in this range of partitions.
    pub fn in_partitions(self, partitions: RangeInclusive<Partition>) -> Self {
        Self { events: self.events.in_partitions(partitions) }
    }

    /// How much a page has at most, as of [`Events::page_limit`].
    pub fn page_limit(self, limit: PageLimit) -> Self {
        Self { events: self.events.page_limit(limit) }
    }

    /// How far it has come: behind the last change that was handed out, and behind what the filter has left out since. In front
    /// of a state that could not be decoded, until the next one is asked for.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        self.events.offset()
    }

    /// The next change; none behind the last one.
    ///
    /// # Errors
    /// As [`Events::next`]. [`ReadError::UndecodableState`]: asking again goes on behind it.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    ///
    /// # Panics
    /// As [`Events::next`].
    pub async fn next(&mut self) -> Result<Option<Changed<S>>, ReadError> {
        let next = self.events.next().await.map_err(of_state)?;
        Ok(next.map(Changed::from))
    }
}

impl StateChanges<StoredPayload> {
    /// Only entities of these kinds.
    pub fn of_kinds(self, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { events: self.events.only_kinds(kinds.into_iter().map(Into::into).collect()) }
    }
}

impl<S> fmt::Debug for StateChanges<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateChanges").field("offset", self.offset()).finish_non_exhaustive()
    }
}
