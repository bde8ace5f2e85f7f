use super::{Ask, Peek, Port, TellError};
use actum_model::{Entity, EntityId, EntityKey, Handle, Lists, Payload};
use std::{fmt, sync::Arc};

/// Addresses one entity. Cheap to clone, and never dead: the entity is activated by its first command and recovered
/// whenever it is needed.
pub struct EntityRef<E: Entity> {
    pub(super) target: Target<E>,
}

pub(super) enum Target<E: Entity> {
    Entity {
        key: EntityKey,
        port: Arc<Port<E>>,
    },
    /// The id can name no entity: everything sent there gets this.
    Nowhere(Arc<str>),
}

impl<E: Entity> EntityRef<E> {
    pub(crate) fn new(key: EntityKey, port: Arc<Port<E>>) -> Self {
        Self { target: Target::Entity { key, port } }
    }

    pub(crate) fn nowhere(what: &str) -> Self {
        Self { target: Target::Nowhere(what.into()) }
    }

    /// Sends a command and waits for its reply.
    ///
    /// Await it as it is, or add to it first: `.timeout(…)`, `.command_id(…)`, `.expect_revision(…)`, `.metadata(…)`.
    /// `.await` sends it, and so does [`into_future`](IntoFuture::into_future), before the future is polled; an [`Ask`] that
    /// is dropped sends nothing.
    ///
    /// # Errors
    /// The future ends in an [`AskError`](crate::AskError): the entity's rejection, or what went wrong.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the command back: it may still be applied.
    pub fn ask<C, I>(&self, command: C) -> Ask<E, C>
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        Ask::new(self.clone(), command)
    }

    /// Sends a command and does not wait. What becomes of it is logged when it is not applied: a rejection at debug, a
    /// failure at warn.
    ///
    /// # Errors
    /// [`TellError`] when the command was not even taken, for example because a bound is reached.
    pub fn tell<C, I>(&self, command: C) -> Result<(), TellError>
    where
        E: Handle<C>,
        C: Payload,
        E::Commands: Lists<C, I>,
    {
        self.ask(command).tell()
    }

    /// Looks at the state: a copy of it, once everything it shows is durable.
    ///
    /// # Errors
    /// The future ends in an [`AskError`](crate::AskError), never a rejection.
    pub fn state(&self) -> Peek<E>
    where
        E: Clone,
    {
        Peek::new(self.clone())
    }

    /// The id of the entity; `None` when the id can name no entity.
    #[must_use]
    pub fn id(&self) -> Option<E::Id> {
        match &self.target {
            Target::Entity { key, .. } => E::Id::from_text(key.id()).ok(),
            Target::Nowhere(_) => None,
        }
    }
}

impl<E: Entity> Clone for EntityRef<E> {
    fn clone(&self) -> Self {
        let target = match &self.target {
            Target::Entity { key, port } => {
                Target::Entity { key: key.clone(), port: Arc::clone(port) }
            }
            Target::Nowhere(what) => Target::Nowhere(Arc::clone(what)),
        };
        Self { target }
    }
}

impl<E: Entity> fmt::Debug for EntityRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Entity { key, .. } => write!(f, "EntityRef({key})"),
            Target::Nowhere(what) => write!(f, "EntityRef(invalid: {what})"),
        }
    }
}
