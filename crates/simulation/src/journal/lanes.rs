use super::Journal;
use actum_model::{EntityKey, Lane, Offset, Partition, Position, SequenceNr};
use actum_persistence::store::{EntityPage, JournalEvent, LanePage, StoredEvent};

/// An event of a lane, by its entity and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventAtNr {
    pub(crate) entity: u32,
    pub(crate) nr: u64,
}

/// The journal as those see it who read it by lanes.
impl Journal {
    /// How many events there are.
    pub(crate) fn count(&self) -> u64 {
        self.heads.iter().sum()
    }

    /// How far the lanes go.
    pub(crate) fn lane_heads(&self) -> Offset {
        Offset::of_positions(self.heads.iter().copied().map(Position::new).collect::<Vec<_>>())
    }

    /// The event at a place of a lane.
    pub(crate) fn at(&self, lane: Lane, position: u64) -> EventAtNr {
        self.lanes[lane.index()][position as usize - 1]
    }

    /// An event, deleted or not.
    pub(crate) fn event(&self, at: EventAtNr) -> &StoredEvent {
        &self.histories[at.entity as usize].events[at.nr as usize - 1]
    }

    /// All events of an entity, deleted or not.
    pub(crate) fn events_of(&self, entity: u32) -> &[StoredEvent] {
        &self.histories[entity as usize].events
    }

    /// A page over at most so many positions of a lane, with the events of entities that are wanted.
    pub(crate) fn read_lane(
        &self,
        lane: Lane,
        after: Position,
        positions: usize,
        wants: impl Fn(u32) -> bool,
    ) -> LanePage {
        let (all, from) = (&self.lanes[lane.index()], after.get() as usize);
        let to = all.len().min(from + positions);
        let is_there = |at: &&EventAtNr| at.nr > self.histories[at.entity as usize].floor;
        let there = all.get(from..to).unwrap_or_default().iter().filter(is_there);
        let wanted = there.filter(|at| wants(at.entity));
        let events = wanted.map(|at| {
            let (entity, partition) = self.members[at.entity as usize].clone();
            JournalEvent { entity, partition, event: self.event(*at).clone() }
        });
        LanePage::new(events.collect(), Position::new(to as u64).max(after))
    }

    /// A page of an entity.
    pub(crate) fn read_entity(
        &self,
        entity: &EntityKey,
        after: SequenceNr,
        count: usize,
    ) -> EntityPage {
        self.page(entity, after.get(), count)
    }

    /// The last position of each lane whose event is deleted.
    pub(crate) fn deleted_to(&self) -> Offset {
        let mut deleted = Offset::beginning(self.layout.lanes);
        for (history, (_, partition)) in self.histories.iter().zip(&self.members) {
            let last = history.floor.checked_sub(1).map(|at| &history.events[at as usize]);
            let lane = Lane::of_partition(*partition, self.layout.lanes);
            last.into_iter().for_each(|last| deleted.advance(lane, last.position));
        }
        deleted
    }

    /// The partition of an entity.
    pub(crate) fn partition_of(&self, entity: u32) -> Partition {
        self.members[entity as usize].1
    }
}
