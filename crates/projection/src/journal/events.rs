use super::{
    ReadError, Recorded,
    decoding::{DecodePayload, recorded},
    page_reader::{PageRead, PageReader, Pages},
};
use actum_model::{Lane, Offset, Partition, Position, StoredPayload};
use actum_persistence::store::{EventFilter, EventStore, JournalEvent, PageLimit, StoreError};
use std::{fmt, ops::RangeInclusive, sync::Arc};

/// Events of the journal: those of a lane in the order in which they were committed, and lanes page by page in turn. So the
/// events of one entity come in order, and all do where the journal has one lane.
///
/// What is set must be set before the first [`next`](Self::next), which begins to read. It ends where the lanes ended then,
/// or [where it is to](Self::to); [`offset`](Self::offset) says how far it has come, and another reader goes on from there. Events
/// that were deleted after a snapshot are not there.
#[must_use = "nothing is read before the first `next`"]
pub struct Events<E> {
    reader: PageReader<EventPages>,
    decode: DecodePayload<E>,
    /// Behind the last event that was handed out.
    offset: Offset,
    /// An event that could not be decoded: the offset passes it when the next one is asked for.
    undecoded: Option<(Lane, Position)>,
}

struct EventPages {
    events: Arc<dyn EventStore>,
    filter: EventFilter,
    limit: PageLimit,
    /// Only this lane.
    lane: Option<Lane>,
    /// How far lanes are read.
    read_to: Offset,
    end: End,
    /// The lane whose turn it is.
    turn: u16,
}

/// Where each lane ends.
enum End {
    /// At its head, or in front of that if less is wanted.
    Wanted(Option<Offset>),
    /// As was found out before the first page.
    Found(Offset),
}

/// What is on a page.
enum Item {
    Event(Lane, Box<JournalEvent>),
    /// Everything up to here was looked at.
    ReadTo(Lane, Position),
}

impl<E> Events<E> {
    pub(super) fn new(
        events: Arc<dyn EventStore>,
        filter: EventFilter,
        limit: PageLimit,
        decode: DecodePayload<E>,
    ) -> Self {
        let offset = Offset::beginning(events.layout().lanes);
        let (lane, read_to, end, turn) = (None, offset.clone(), End::Wanted(None), 0);
        let pages = EventPages { events, filter, limit, lane, read_to, end, turn };
        Self { reader: PageReader::new(pages), decode, offset, undecoded: None }
    }

    /// Begins behind `offset`.
    pub fn after(mut self, offset: Offset) -> Self {
        if let Some(pages) = self.reader.unread() {
            pages.read_to.clone_from(&offset);
            self.offset = offset;
        }
        self
    }

    /// Ends with what is at `end` in each lane, if that is there.
    pub fn to(self, end: Offset) -> Self {
        self.set(|pages| pages.end = End::Wanted(Some(end)))
    }

    /// Reads this lane only.
    pub fn of_lane(self, lane: Lane) -> Self {
        self.set(|pages| pages.lane = Some(lane))
    }

    /// Only events of entities in this range of partitions.
    pub fn in_partitions(self, partitions: RangeInclusive<Partition>) -> Self {
        self.set(|pages| pages.filter.partitions = Some(partitions))
    }

    /// Only events whose manifest is one of these, or begins with one of these and a dot.
    pub fn of_manifests(self, manifests: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let manifests = manifests.into_iter().map(Into::into).collect();
        self.set(|pages| pages.filter.manifests = manifests)
    }

    /// How much a page has at most, 1 to 100,000 events and 1 byte to 512 MiB; twice as much may be in memory. 1,000 events
    /// or 4 MiB by default.
    pub fn page_limit(self, limit: PageLimit) -> Self {
        self.set(|pages| pages.limit = limit)
    }

    /// How far it has come: behind the last event that was handed out, and behind what the filter has left out since. In
    /// front of an event that could not be decoded, until the next one is asked for.
    #[must_use]
    pub fn offset(&self) -> &Offset {
        &self.offset
    }

    /// The next event; none behind the last one.
    ///
    /// # Errors
    /// [`ReadError`]: each variant says what asking again does. [`StoreError::Corrupt`] also where the journal ends in front
    /// of where it ended before, or where `after` lies.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    ///
    /// # Panics
    /// Outside of a tokio runtime, or when the store panics.
    pub async fn next(&mut self) -> Result<Option<Recorded<E>>, ReadError> {
        if let Some((lane, position)) = self.undecoded.take() {
            self.offset.advance(lane, position);
        }
        loop {
            match self.reader.next().await? {
                None => return Ok(None),
                Some(Item::ReadTo(lane, position)) => self.offset.advance(lane, position),
                Some(Item::Event(lane, event)) => {
                    let position = event.event.position;
                    let event = recorded(lane, *event, self.decode);
                    if event.is_ok() {
                        self.offset.advance(lane, position);
                    } else {
                        self.undecoded = Some((lane, position));
                    }
                    return event.map(Some);
                }
            }
        }
    }

    pub(super) fn only_kinds(self, kinds: Vec<String>) -> Self {
        self.set(|pages| pages.filter.kinds = kinds)
    }

    fn set(mut self, set: impl FnOnce(&mut EventPages)) -> Self {
        if let Some(pages) = self.reader.unread() {
            set(pages);
        }
        self
    }
}

impl Events<StoredPayload> {
    /// Only events of entities of these kinds.
    pub fn of_kinds(self, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.only_kinds(kinds.into_iter().map(Into::into).collect())
    }
}

impl Pages for EventPages {
    type Item = Item;

    async fn read(&mut self) -> PageRead<Item> {
        self.limit.check()?;
        let end = self.end().await?;
        let Some(lane) = self.next_lane(&end) else { return Ok(None) };
        let (after, end) = (self.read_to.position(lane), end.position(lane));
        let page = self.events.read_lane(lane, after, &self.filter, self.limit).await?;
        if page.read_to <= after {
            return Err(regressed(lane, end, page.read_to).into());
        }
        let read_to = page.read_to.min(end);
        let events = page.events.into_iter().filter(|event| event.event.position <= end);
        let mut items: Vec<_> = events.map(|event| Item::Event(lane, Box::new(event))).collect();
        items.push(Item::ReadTo(lane, read_to));
        self.read_to.advance(lane, read_to);
        self.turn = lane.nr() + 1;
        Ok(Some(items))
    }
}

impl EventPages {
    /// Where each lane ends.
    async fn end(&mut self) -> Result<Offset, StoreError> {
        let wanted = match &self.end {
            End::Found(end) => return Ok(end.clone()),
            End::Wanted(wanted) => wanted,
        };
        let layout = self.events.layout();
        let offsets = [Some(&self.read_to), wanted.as_ref()];
        for offset in offsets.into_iter().flatten() {
            let (lanes, known) = (layout.lanes.get(), offset.positions().len());
            if known != usize::from(lanes) {
                let what = format!("an offset of {known} lanes, of a journal that has {lanes}");
                return Err(StoreError::invalid(what));
            }
        }
        if let Some(lane) = self.lane {
            layout.check_lane(lane)?;
        }
        let heads = self.events.heads().await?;
        for lane in layout.lanes.iter().filter(|lane| self.is_wanted(*lane)) {
            let (after, head) = (self.read_to.position(lane), heads.position(lane));
            if after > head {
                return Err(regressed(lane, after, head));
            }
        }
        let end_of = |lane| {
            let head = heads.position(lane);
            wanted.as_ref().map_or(head, |wanted| wanted.position(lane).min(head))
        };
        let end = Offset::of_positions(layout.lanes.iter().map(end_of).collect::<Vec<_>>());
        self.end = End::Found(end.clone());
        Ok(end)
    }

    /// The next lane that has something left, beginning with the one whose turn it is.
    fn next_lane(&self, end: &Offset) -> Option<Lane> {
        let lanes = self.events.layout().lanes.get();
        let in_turn = (0..lanes).map(|nr| Lane::new((self.turn % lanes + nr) % lanes));
        let mut left = in_turn.filter(|lane| self.read_to.position(*lane) < end.position(*lane));
        left.find(|lane| self.is_wanted(*lane))
    }

    fn is_wanted(&self, lane: Lane) -> bool {
        self.lane.is_none_or(|wanted| wanted == lane)
    }
}

/// The journal is not as long as it was.
fn regressed(lane: Lane, known: Position, head: Position) -> StoreError {
    StoreError::corrupt(format!(
        "the journal has regressed: lane {lane} ends at {head}, and was known up to {known}"
    ))
}

impl<E> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("offset", &self.offset).finish_non_exhaustive()
    }
}
