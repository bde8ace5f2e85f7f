use super::Target;
use actum_model::{CommandId, Metadata};
use actum_persistence::{progress::ExactTarget, store::EventId};
use std::{fmt, num::NonZeroU32, sync::Arc};

/// What a handler knows beside its event, and what it writes through.
pub struct ProjectCtx<'a, T: Target> {
    connection: &'a mut T::Connection,
    pub(crate) place: HandlerPlace,
}

/// Where a handler is.
#[derive(Clone, Debug)]
pub(crate) struct HandlerPlace {
    /// What the ids of its commands begin with.
    pub(crate) command_ids: Arc<str>,
    /// The version of the projection.
    pub(crate) version: NonZeroU32,
    /// Whether the event happened before the projection was there.
    pub(crate) is_replay: bool,
    /// The event; none outside of one.
    pub(crate) event: Option<EventPlace>,
}

/// What is passed on of an event.
#[derive(Clone, Debug)]
pub(crate) struct EventPlace {
    pub(crate) id: EventId,
    pub(crate) metadata: Metadata,
}

impl<'a, T: Target> ProjectCtx<'a, T> {
    pub(crate) fn new(connection: &'a mut T::Connection, place: HandlerPlace) -> Self {
        Self { connection, place }
    }

    pub(crate) fn connection(&mut self) -> &mut T::Connection {
        self.connection
    }

    /// The version of the projection: for the names of tables of its own, so that versions do not write the same rows.
    #[must_use]
    pub fn version(&self) -> NonZeroU32 {
        self.place.version
    }

    /// Whether the event happened before the projection was there, or before it was rewound, or was handled by the version
    /// that is active: then a side effect that cannot be undone, such as a mail, is to be held back. It is of no meaning for
    /// rows.
    #[must_use]
    pub fn is_replay(&self) -> bool {
        self.place.is_replay
    }

    /// The id for command number `index` that the handler sends because of its event: the same whenever the event is handled
    /// again, so that the command is applied once. It depends on the name of the projection, or [another
    /// one](crate::Projection::command_ids_of), not on its version.
    ///
    /// # Panics
    /// Outside of the handler of an event.
    #[must_use]
    pub fn command_id(&self, index: u32) -> CommandId {
        let event = self.place.event.as_ref().expect("only an event has commands");
        let text = format!("{}/{}/{index}", self.place.command_ids, event.id);
        CommandId::new(text).expect("a name of 100 bytes and three numbers are short enough")
    }

    /// The metadata for commands that the handler sends because of its event: it is their cause, and what it is correlated
    /// with they are too.
    ///
    /// # Panics
    /// Outside of the handler of an event.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        let event = self.place.event.as_ref().expect("only an event has commands");
        let mut metadata = Metadata::new().with_causation_id(event.id.to_string());
        if let Some(correlation) = event.metadata.correlation_id() {
            metadata = metadata.with_correlation_id(correlation);
        }
        if let Some(trace) = event.metadata.trace() {
            metadata = metadata.with_trace(trace.clone());
        }
        metadata
    }
}

impl<T: ExactTarget> ProjectCtx<'_, T> {
    /// What the handler writes through: a connection in a transaction, which is committed with the progress of the projection.
    /// A statement that failed fails the event, also if the handler goes on.
    pub fn tx(&mut self) -> &mut <T as ExactTarget>::Connection {
        self.connection
    }
}

impl<T: Target> fmt::Debug for ProjectCtx<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProjectCtx").field("place", &self.place).finish_non_exhaustive()
    }
}
