use super::{
    ReadError, Recorded,
    decoding::{DecodePayload, recorded},
    page_reader::{PageRead, PageReader, Pages},
};
use actum_model::{EntityKey, InvalidKey, Lane, Partition, SequenceNr};
use actum_persistence::store::{
    EntityPage, EntityRead, EventStore, JournalEvent, PageLimit, StoreError, StoredEvent,
};
use std::{fmt, num::NonZeroU32, sync::Arc};

/// The events of one entity, the oldest first unless it is read [backward](Self::backward).
///
/// What is set must be set before the first [`next`](Self::next), which begins to read. It ends with the entity's last
/// event at the time its last page was read. Events that were deleted after a snapshot are not there: it begins with the
/// oldest one that is, as its number shows.
#[must_use = "nothing is read before the first `next`"]
pub struct History<E> {
    /// The entity, or why there is none.
    entity: Result<Named, InvalidKey>,
    reader: Option<PageReader<HistoryPages>>,
    decode: DecodePayload<E>,
}

/// An entity, and where it belongs.
#[derive(Clone)]
struct Named {
    entity: EntityKey,
    partition: Partition,
    lane: Lane,
}

struct HistoryPages {
    events: Arc<dyn EventStore>,
    entity: EntityKey,
    is_backward: bool,
    first: SequenceNr,
    last: SequenceNr,
    /// How many events are wanted at most, behind those that were read.
    left: u64,
    limit: PageLimit,
    /// Whether a page was read: from then on nothing may be missing between pages.
    has_begun: bool,
    is_read: bool,
}

impl<E> History<E> {
    pub(super) fn new(
        events: Arc<dyn EventStore>,
        entity: Result<EntityKey, InvalidKey>,
        limit: PageLimit,
        decode: DecodePayload<E>,
    ) -> Self {
        let layout = events.layout();
        let named = entity.map(|entity| Named {
            partition: entity.partition(layout.partitions),
            lane: layout.lane_of(&entity),
            entity,
        });
        let pages = named.as_ref().ok().map(|named| HistoryPages {
            events,
            entity: named.entity.clone(),
            is_backward: false,
            first: SequenceNr::new(1),
            last: SequenceNr::new(u64::MAX),
            left: u64::MAX,
            limit,
            has_begun: false,
            is_read: false,
        });
        Self { entity: named, reader: pages.map(PageReader::new), decode }
    }

    /// Begins with event `first`; if it is read backward, ends there.
    pub fn from(self, first: SequenceNr) -> Self {
        self.set(|pages| pages.first = first.max(SequenceNr::new(1)))
    }

    /// Ends with event `last`; if it is read backward, begins there.
    pub fn to(self, last: SequenceNr) -> Self {
        self.set(|pages| pages.last = last)
    }

    /// Reads the newest event first.
    pub fn backward(self) -> Self {
        self.set(|pages| pages.is_backward = true)
    }

    /// Hands out at most `count` events.
    pub fn limit(self, count: u64) -> Self {
        self.set(|pages| pages.left = count)
    }

    /// How much a page has at most, 1 to 100,000 events and 1 byte to 512 MiB; twice as much may be in memory. 1,000 events
    /// or 4 MiB by default.
    pub fn page_limit(self, limit: PageLimit) -> Self {
        self.set(|pages| pages.limit = limit)
    }

    /// The next event; none behind the last one.
    ///
    /// # Errors
    /// [`ReadError`]: each variant says what asking again does.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or when the store panics.
    pub async fn next(&mut self) -> Result<Option<Recorded<E>>, ReadError> {
        let named = self.entity.clone()?;
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let Some(event) = reader.next().await? else { return Ok(None) };
        let Named { entity, partition, lane } = named;
        recorded(lane, JournalEvent { entity, partition, event }, self.decode).map(Some)
    }

    fn set(mut self, set: impl FnOnce(&mut HistoryPages)) -> Self {
        if let Some(pages) = self.reader.as_mut().and_then(PageReader::unread) {
            set(pages);
        }
        self
    }
}

impl Pages for HistoryPages {
    type Item = StoredEvent;

    async fn read(&mut self) -> PageRead<StoredEvent> {
        self.limit.check()?;
        if self.is_read || self.left == 0 || self.first > self.last {
            return Ok(None);
        }
        let wanted = self.first..=self.last;
        let mut events = if self.is_backward {
            let before = SequenceNr::new(self.last.get().saturating_add(1));
            let page = self.events.read_backward(&self.entity, before, self.limit()).await?;
            self.is_read = !page.has_older(before);
            self.last = page.events.last().map_or(self.last, |event| event.sequence_nr.previous());
            page.events
        } else {
            let after = self.first.previous();
            let page = self.read_behind(after).await?;
            if self.has_begun && page.floor > after {
                self.first = page.floor.next();
                return Err(ReadError::Deleted { entity: self.entity.clone(), up_to: page.floor });
            }
            self.is_read = !page.has_more(after);
            self.first = page.events.last().map_or(self.first, |event| event.sequence_nr.next());
            page.events
        };
        self.has_begun = true;
        events.retain(|event| wanted.contains(&event.sequence_nr));
        self.left -= events.len() as u64;
        Ok(Some(events))
    }
}

impl HistoryPages {
    /// How much the next page has at most: no more than is wanted.
    fn limit(&self) -> PageLimit {
        let wanted = (self.last.get() - self.first.get()).saturating_add(1).min(self.left);
        let wanted = u32::try_from(wanted).ok().and_then(NonZeroU32::new);
        self.limit.with_events(wanted.map_or(self.limit.events, |it| it.min(self.limit.events)))
    }

    async fn read_behind(&self, after: SequenceNr) -> Result<EntityPage, StoreError> {
        let read = EntityRead { entity: self.entity.clone(), after };
        let mut pages = self.events.read_entities(&[read], self.limit()).await?;
        pages.pop().ok_or_else(|| StoreError::corrupt("the store answers no read of an entity"))
    }
}

impl<E> fmt::Debug for History<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entity = self.entity.as_ref().map(|named| &named.entity);
        f.debug_struct("History").field("entity", &entity).finish_non_exhaustive()
    }
}
