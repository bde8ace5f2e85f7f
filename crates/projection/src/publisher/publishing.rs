use super::{Message, Publisher};
use crate::{
    definition::Projection,
    handler::{HandlerError, Project, ProjectCtx, ProjectStream, Projector, Target},
    journal::Recorded,
};
use actum_model::{Entity, Payload};
use std::sync::Arc;

/// A publisher as a projection runs it: events become messages. See [`Projection::publisher`].
#[derive(Clone, Debug)]
pub struct Publishing<P> {
    pub(crate) publisher: P,
    source: Arc<str>,
}

/// Where a [`Publishing`] writes: messages are gathered, published, and then the progress is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublisherTarget;

impl Target for PublisherTarget {
    type Connection = Vec<Message>;
}

impl<P: Publisher> Projection<Publishing<P>> {
    /// A projection whose events become messages that `publisher` ships: at least once, those of one entity in order, and
    /// going on where it was after any crash. See [`Publisher`] for the contract.
    ///
    /// All settings and policies are those of other projections. While the broker cannot be reached it waits, and blames no
    /// event; an event whose message is rejected is tried again, and then stops its segment, becomes a dead letter or parks its
    /// entity. Later messages of its entity pass it only when it has become a dead letter.
    pub fn publisher(name: impl Into<String>, publisher: P) -> Self {
        let name = name.into();
        let source = format!("/{name}").into();
        Self::new(name, PublisherTarget, Publishing { publisher, source })
    }

    /// The `source` of its messages, a URI or a part of one: together with its id it names a message among those of all
    /// publishers. `/` and the name of the projection unless it is set; set it where several journals are published to one
    /// broker, since the events of different journals may have the same ids.
    pub fn source(mut self, source: impl Into<Arc<str>>) -> Self {
        self.projector.source = source.into();
        self
    }
}

impl<P: Publisher> Projector for Publishing<P> {
    type Target = PublisherTarget;

    async fn clear(&mut self, _: &mut ProjectCtx<'_, PublisherTarget>) -> Result<(), HandlerError> {
        let what =
            "what was published cannot be taken back: rewind it, and everything is published again";
        Err(HandlerError::failed(what))
    }
}

impl<P: Publisher, E: Entity> Project<E> for Publishing<P> {
    async fn project(
        &mut self,
        event: &Recorded<E::Event>,
        ctx: &mut ProjectCtx<'_, PublisherTarget>,
    ) -> Result<(), HandlerError> {
        self.add(event, ctx)
    }
}

impl<P: Publisher, E: Payload> ProjectStream<E> for Publishing<P> {
    async fn project_stream(
        &mut self,
        event: &Recorded<E>,
        ctx: &mut ProjectCtx<'_, PublisherTarget>,
    ) -> Result<(), HandlerError> {
        self.add(event, ctx)
    }
}

impl<P> Publishing<P> {
    fn add<E: Payload>(
        &self,
        event: &Recorded<E>,
        ctx: &mut ProjectCtx<'_, PublisherTarget>,
    ) -> Result<(), HandlerError> {
        let message = Message::of(&self.source, event)?.with_replay(ctx.is_replay());
        ctx.connection().push(message);
        Ok(())
    }
}
