use super::Entrance;
use actum_model::{Entity, EntityKey};
use std::{fmt, sync::Arc};

/// Where what is sent through an [`EntityRef`](super::EntityRef) goes.
pub(super) enum CommandTarget<E: Entity> {
    Entity {
        key: EntityKey,
        entrance: Arc<Entrance<E>>,
    },
    /// The id can name no entity: everything sent there gets this.
    Nowhere(Arc<str>),
}

impl<E: Entity> Clone for CommandTarget<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Entity { key, entrance } => {
                Self::Entity { key: key.clone(), entrance: Arc::clone(entrance) }
            }
            Self::Nowhere(what) => Self::Nowhere(Arc::clone(what)),
        }
    }
}

/// As the reference to the entity is shown.
impl<E: Entity> fmt::Debug for CommandTarget<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entity { key, .. } => write!(f, "EntityRef({key})"),
            Self::Nowhere(what) => write!(f, "EntityRef(invalid: {what})"),
        }
    }
}
