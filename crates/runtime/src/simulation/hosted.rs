use super::{Board, Chain, Desk, Subject, journal::Found};
use actum_host::cell::{ByEvents, ByState, Model, Moment, Ticket};
use actum_model::{EntityKey, Lane, Partition, Timestamp};

/// Which host it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Which life of the process.
    pub(crate) life: u32,
    /// Its number among the hosts of the process.
    pub(crate) nr: u16,
    pub(crate) partition: Partition,
    pub(crate) lane: Lane,
    pub(crate) cells_max: usize,
}

/// What one turn is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    pub(crate) now: Moment,
    pub(crate) wall: Timestamp,
    /// For how many seconds the process has been running, by its own clock.
    pub(crate) uptime: u32,
    pub(crate) room: usize,
    /// How much of everything that was left is taken.
    pub(crate) take: usize,
}

/// A model whose cells a host can keep.
pub(crate) trait Hosted: Model<Entity: Subject> {
    /// Hands a write over.
    fn submit(write: Self::Write, ticket: Ticket, lane: Lane, desk: &mut Desk);

    /// Whose write it is, and what it adds to the entity: behind which number, up to which.
    fn span(write: &Self::Write) -> (&EntityKey, u64, u64);

    fn found(found: Found) -> Self::Found;
}

impl Hosted for ByEvents<Chain> {
    fn submit(write: Self::Write, ticket: Ticket, lane: Lane, desk: &mut Desk) {
        desk.lanes[lane.index()].submit(write, ticket);
    }

    fn span(write: &Self::Write) -> (&EntityKey, u64, u64) {
        (&write.entity, write.expected.get(), write.last_sequence_nr().get())
    }

    fn found(found: Found) -> Self::Found {
        let Found::Events(found) = found else { unreachable!("the journal knows the models") };
        found
    }
}

impl Hosted for ByState<Board> {
    fn submit(write: Self::Write, ticket: Ticket, _: Lane, desk: &mut Desk) {
        desk.states.submit(write, ticket);
    }

    fn span(write: &Self::Write) -> (&EntityKey, u64, u64) {
        (&write.entity, write.expected.get(), write.revision.get())
    }

    fn found(found: Found) -> Self::Found {
        let Found::State(found) = found else { unreachable!("the journal knows the models") };
        found
    }
}
