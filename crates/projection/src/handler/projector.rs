use super::{HandlerError, ProjectCtx, Target};
use crate::journal::{Changed, Recorded};
use actum_model::{DurableState, Entity, Payload};
use std::future::Future;

/// What handles the events of a projection: its code, and where it writes.
///
/// A segment has a clone of its own, which handles one event at a time; one that has panicked or run out of time is replaced by
/// a fresh clone. So what it keeps in memory is a cache, never the truth.
pub trait Projector: Clone + Send + Sync + 'static {
    /// Where it writes.
    type Target: Target;

    /// Prepares what it writes to, such as tables, before the first event, each time an engine starts: written so that
    /// what is there already stays. Does nothing by default.
    fn set_up(
        &mut self,
        _ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        async { Ok(()) }
    }

    /// Removes what it has written, because it begins again, see [`ProjectionRef::reset`](crate::ProjectionRef::reset). Fails by
    /// default.
    fn clear(
        &mut self,
        _ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        async {
            Err(HandlerError::failed("the projector has no `clear`, so it cannot begin again"))
        }
    }

    /// Finishes what it has begun for the events of a batch, such as waiting for the acknowledgements of a broker: before
    /// their progress is saved. When a handler has panicked or run out of time before, all events of the batch come again: with its
    /// clone went what it had begun. Does nothing by default.
    fn flush(
        &mut self,
        _ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send {
        async { Ok(()) }
    }
}

/// Handles the events of entities of one kind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the events of `{E}`",
    note = "implement `Project<{E}>` for it"
)]
pub trait Project<E: Entity>: Projector {
    /// Handles an event. Those of one entity come in order; after one that failed, nothing of its entity comes before it was
    /// handled, skipped or parked.
    ///
    /// The future is dropped when it takes longer than the handler timeout, and when the engine is shut down.
    fn project(
        &mut self,
        event: &Recorded<E::Event>,
        ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Handles the changes of the durable states of one kind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the states of `{S}`",
    note = "implement `ProjectState<{S}>` for it"
)]
pub trait ProjectState<S: DurableState>: Projector {
    /// Handles the latest state of an entity that has changed; one without a state was deleted. Those of one entity come in order,
    /// states in between may be skipped, and the same may come again: so it puts what it finds in the place of what it knew.
    ///
    /// The future is dropped when it takes longer than the handler timeout, and when the engine is shut down.
    fn project_state(
        &mut self,
        changed: &Changed<S>,
        ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}

/// Handles the events of streams, which no entity owns. Streams of several kinds may have events of one type:
/// [`event.entity`](Recorded::entity) says which one it is of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the events `{E}` of streams",
    note = "implement `ProjectStream<{E}>` for it"
)]
pub trait ProjectStream<E: Payload>: Projector {
    /// Handles an event. Those of one stream come in order; after one that failed, nothing of its stream comes before it was
    /// handled, skipped or parked.
    ///
    /// The future is dropped when it takes longer than the handler timeout, and when the engine is shut down.
    fn project_stream(
        &mut self,
        event: &Recorded<E>,
        ctx: &mut ProjectCtx<'_, Self::Target>,
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;
}
