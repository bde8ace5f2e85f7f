use crate::{
    Failure, Moment, Observer,
    cell::{Read, TakenSnapshot, Ticket},
};
use actum_model::{Lane, Partition, Timestamp};
use actum_persistence::store::{EntityAppend, StateWrite};

/// What is around a partition: where its outputs go, and what it asks of its engine. Nothing here waits.
pub trait Shell {
    /// The moment it is, on the engine's monotonic clock.
    fn now(&self) -> Moment;

    /// The wall clock, for timestamps.
    fn wall(&self) -> Timestamp;

    /// How many bytes of changes may still be staged.
    fn room(&self) -> usize;

    /// Why commands that were taken by `now` must not be handled; `None` as a rule.
    fn refusal(&self, now: Moment) -> Option<Failure>;

    /// How often the journal was found to have lost something. Where it grows, no cell is as the journal has it.
    fn regressions(&self) -> u64;

    /// Who sees what happens, if anyone does; asked once a turn.
    fn observer(&self) -> Option<&dyn Observer>;

    /// A number that no cell of the partition had before.
    fn next_generation(&self) -> u32;

    /// Hands appends to the writer of the lane, and leaves the vector empty. Says whether that woke a task.
    fn append(&self, lane: Lane, appends: &mut Vec<(EntityAppend, Ticket)>) -> bool;

    /// Hands writes of durable states to their writer, and leaves the vector empty. Says whether that woke a task.
    fn write(&self, writes: &mut Vec<(StateWrite, Ticket)>) -> bool;

    /// Asks for what cells want to know, and leaves the vector empty.
    fn read(&self, partition: Partition, reads: &mut Vec<(Read, Ticket)>);

    /// Hands snapshots over, to be saved without hurry, and leaves the vector empty.
    fn save(&self, snapshots: &mut Vec<TakenSnapshot>);
}

/// The cap on entities in memory, which the partitions of an engine share: one at a time keeps it.
pub trait Cap {
    /// Whether this partition keeps the cap.
    fn is_mine(&self) -> bool;

    /// Says who lets a cell leave next, given when the oldest of this partition was used.
    fn next(&self, oldest_use: Moment) -> NextToLeave;

    /// Ends it: the next one that finds too many entities begins again.
    fn end(&self);
}

/// Who lets a cell leave next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextToLeave {
    Mine,
    /// Another partition, which knows, or none.
    NotMine,
}
