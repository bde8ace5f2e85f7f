use actum_model::EntityKey;

/// What keeps events together: while one of them is in flight, the others go to the same consumer, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AffinityKey {
    /// Their entity.
    Entity(EntityKey),
    /// What a user makes of their entity.
    Chosen(Box<str>),
}
