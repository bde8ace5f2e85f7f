use actum_model::Position;
use actum_persistence::store::JournalEvent;

/// How many events a chunk holds.
const CHUNK_EVENTS: usize = 4096;

/// The events of a lane in order of position.
///
/// It grows by chunks, so no append ever pays for moving the whole log. Deleted events leave holes; a chunk of nothing
/// but holes gives its memory back.
#[derive(Default)]
pub(crate) struct Log {
    chunks: Vec<Chunk>,
    head: Position,
}

struct Chunk {
    /// The position of the first slot.
    first: Position,
    /// Empty once all events of a full chunk are deleted.
    slots: Vec<Option<JournalEvent>>,
    /// How many of the slots hold an event.
    live: usize,
}

impl Log {
    /// The position of the last event.
    pub(crate) fn head(&self) -> Position {
        self.head
    }

    /// Adds an event, whose position is the one behind the head.
    pub(crate) fn push(&mut self, event: JournalEvent) {
        debug_assert_eq!(event.event.position, self.head.plus(1), "positions are dense");
        self.head = event.event.position;
        let room = self.chunks.last_mut().filter(|chunk| chunk.takes(self.head));
        match room {
            Some(chunk) => chunk.push(event),
            None => self.chunks.push(Chunk::starting_with(event, self.chunks.is_empty())),
        }
    }

    /// Moves the head, as if what lies between had been written and deleted.
    pub(crate) fn advance(&mut self, to: Position) {
        assert!(to >= self.head, "positions never regress");
        self.head = to;
    }

    /// The event at `position`, unless it is deleted.
    pub(crate) fn find(&self, position: Position) -> Option<&JournalEvent> {
        let chunk = self.chunks.get(self.chunk_of(position)?)?;
        chunk.slots.get(chunk.slot(position))?.as_ref()
    }

    /// The events behind `after` that are not deleted, in order.
    pub(crate) fn behind(&self, after: Position) -> impl Iterator<Item = &JournalEvent> {
        let chunk = self.chunk_of(after);
        let (skip, slot) =
            chunk.map_or((0, 0), |at| (at, self.chunks[at].slot(after).saturating_add(1)));
        let mut rest = self.chunks[skip..].iter();
        let first = rest.next().and_then(|chunk| chunk.slots.get(slot..)).unwrap_or_default();
        first.iter().chain(rest.flat_map(|chunk| &chunk.slots)).flatten()
    }

    /// Deletes the event at `position`.
    pub(crate) fn delete(&mut self, position: Position) {
        let Some(at) = self.chunk_of(position) else { return };
        let chunk = &mut self.chunks[at];
        let slot = chunk.slot(position);
        if chunk.slots.get_mut(slot).and_then(Option::take).is_none() {
            return;
        }
        chunk.live -= 1;
        if chunk.live == 0 && chunk.slots.len() == CHUNK_EVENTS {
            chunk.slots = Vec::new();
        }
    }

    /// The last chunk that begins at or before `position`.
    fn chunk_of(&self, position: Position) -> Option<usize> {
        self.chunks.partition_point(|chunk| chunk.first <= position).checked_sub(1)
    }
}

impl Chunk {
    fn starting_with(event: JournalEvent, first_of_log: bool) -> Self {
        // a small journal stays small
        let mut slots = Vec::with_capacity(if first_of_log { 0 } else { CHUNK_EVENTS });
        let first = event.event.position;
        slots.push(Some(event));
        Self { first, slots, live: 1 }
    }

    /// Whether the event at `position` goes into this chunk.
    fn takes(&self, position: Position) -> bool {
        let next = self.slots.len();
        next > 0 && next < CHUNK_EVENTS && self.slot(position) == next
    }

    fn push(&mut self, event: JournalEvent) {
        self.slots.push(Some(event));
        self.live += 1;
    }

    fn slot(&self, position: Position) -> usize {
        usize::try_from(position.get() - self.first.get()).unwrap_or(usize::MAX)
    }
}
