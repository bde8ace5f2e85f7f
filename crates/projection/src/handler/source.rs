use super::{
    HandlerError, HandlerPlace, Project, ProjectCtx, ProjectState, ProjectStream, Projector,
    project_ctx::EventPlace,
};
use crate::journal::{ReadError, Recorded, decode_change, decode_event};
use actum_model::{DecodeError, DurableState, Entity, Lane, Metadata, Payload};
use actum_persistence::store::JournalEvent;
use actum_reader::segment::{FailedBy, error_text};
use std::{future::Future, marker::PhantomData, pin::Pin, sync::Arc};

/// Events of one kind, and the code for them.
pub(crate) trait Source<P: Projector>: Send + Sync {
    /// Decodes an event and has it handled.
    fn project<'a>(
        &'a self,
        projector: &'a mut P,
        lane: Lane,
        event: JournalEvent,
        connection: &'a mut <P::Target as super::Target>::Connection,
        place: HandlerPlace,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>>;
}

/// Why an event was not handled.
pub(crate) enum Failed {
    Undecodable { error: Arc<str>, cause: FailedBy },
    Handler(HandlerError),
}

/// Events of entities of one kind.
pub(crate) struct EntitySource<E>(pub(crate) PhantomData<fn() -> E>);

impl<E: Entity, P: Project<E>> Source<P> for EntitySource<E> {
    fn project<'a>(
        &'a self,
        projector: &'a mut P,
        lane: Lane,
        event: JournalEvent,
        connection: &'a mut <P::Target as super::Target>::Connection,
        mut place: HandlerPlace,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>> {
        Box::pin(async move {
            let event = decode_event::<E::Event>(lane, event).map_err(undecodable)?;
            place.event = Some(place_of(&event));
            let mut ctx = ProjectCtx::new(connection, place);
            projector.project(&event, &mut ctx).await.map_err(Failed::Handler)
        })
    }
}

/// States of one kind, whose changes are shown as events.
pub(crate) struct StateSource<S>(pub(crate) PhantomData<fn() -> S>);

impl<S: DurableState, P: ProjectState<S>> Source<P> for StateSource<S> {
    fn project<'a>(
        &'a self,
        projector: &'a mut P,
        lane: Lane,
        event: JournalEvent,
        connection: &'a mut <P::Target as super::Target>::Connection,
        mut place: HandlerPlace,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>> {
        Box::pin(async move {
            let changed = decode_change::<S>(lane, event).map_err(undecodable)?;
            place.event = Some(EventPlace { id: changed.write_id, metadata: Metadata::new() });
            let mut ctx = ProjectCtx::new(connection, place);
            projector.project_state(&changed, &mut ctx).await.map_err(Failed::Handler)
        })
    }
}

/// Events of streams of one kind.
pub(crate) struct StreamSource<E>(pub(crate) PhantomData<fn() -> E>);

impl<E: Payload, P: ProjectStream<E>> Source<P> for StreamSource<E> {
    fn project<'a>(
        &'a self,
        projector: &'a mut P,
        lane: Lane,
        event: JournalEvent,
        connection: &'a mut <P::Target as super::Target>::Connection,
        mut place: HandlerPlace,
    ) -> Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>> {
        Box::pin(async move {
            let event = decode_event::<E>(lane, event).map_err(undecodable)?;
            place.event = Some(place_of(&event));
            let mut ctx = ProjectCtx::new(connection, place);
            projector.project_stream(&event, &mut ctx).await.map_err(Failed::Handler)
        })
    }
}

fn place_of<E>(event: &Recorded<E>) -> EventPlace {
    EventPlace { id: event.event_id, metadata: event.metadata.clone() }
}

#[expect(clippy::needless_pass_by_value, reason = "it takes what `map_err` gives")]
fn undecodable(error: ReadError) -> Failed {
    let cause = match &error {
        ReadError::Undecodable { source, .. } | ReadError::UndecodableState { source, .. }
            if matches!(
                source,
                DecodeError::UnknownManifest { .. } | DecodeError::NewerSchema { .. }
            ) =>
        {
            FailedBy::UnknownType
        }
        _ => FailedBy::Damage,
    };
    Failed::Undecodable { error: error_text(&error), cause }
}
