use super::{Found, Shell};
use crate::cell::{ByEvents, ByState, FoundState, Model, Ticket};
use actum_model::{DurableState, EventSourced, Lane};
use actum_persistence::store::{EntityAppend, Recovered, StateWrite};

/// A model that a partition can host: it knows which writer its writes go to.
pub trait HostedModel: Model {
    /// Hands writes to the writer of `lane`. Says whether that woke a task.
    fn submit(shell: &dyn Shell, lane: Lane, writes: &mut Vec<(Self::Write, Ticket)>) -> bool;

    /// What a read brought, for this model.
    fn found(found: Found) -> Option<Self::Found>;
}

impl<E: EventSourced> HostedModel for ByEvents<E> {
    fn submit(shell: &dyn Shell, lane: Lane, writes: &mut Vec<(EntityAppend, Ticket)>) -> bool {
        shell.append(lane, writes)
    }

    fn found(found: Found) -> Option<Recovered> {
        if let Found::Events(recovered) = found { Some(recovered) } else { None }
    }
}

impl<E: DurableState> HostedModel for ByState<E> {
    fn submit(shell: &dyn Shell, _: Lane, writes: &mut Vec<(StateWrite, Ticket)>) -> bool {
        shell.write(writes)
    }

    fn found(found: Found) -> Option<FoundState> {
        if let Found::State(found) = found { Some(found) } else { None }
    }
}
