use actum::{Entity, EntityId as _, EntityKey, Message, Recorded, Subscription};
use std::sync::Arc;

/// A message, or why the event cannot be one.
pub(crate) type Made = Result<Message, String>;

/// What is to be delivered to a client.
pub(crate) type Wanting = Subscription<Made>;

/// A kind of entities whose events clients may get.
#[derive(Clone, Copy)]
pub(crate) struct ServedKind {
    /// Adds the events of all of its entities.
    pub(crate) all: fn(Wanting, Arc<str>) -> Wanting,
    /// Adds those of one.
    pub(crate) one: fn(Wanting, Arc<str>, &str) -> Result<Wanting, String>,
}

impl ServedKind {
    pub(crate) fn of<E: Entity>() -> Self {
        Self {
            all: |subscription, source| subscription.from::<E, _>(make::<E>(source)),
            one: |subscription, source, id| {
                EntityKey::new(E::KIND, id).map_err(|error| error.to_string())?;
                let id = E::Id::from_text(id).map_err(|error| error.to_string())?;
                Ok(subscription.entity::<E, _>(id, make::<E>(source)))
            },
        }
    }
}

fn make<E: Entity>(source: Arc<str>) -> impl Fn(Recorded<E::Event>) -> Option<Made> {
    move |event| Some(Message::of(&source, &event).map_err(|error| error.to_string()))
}
