use actum_model::Entity;

/// What the states of entities, and what leads to them, consist of in one [`Model`](super::Model).
pub trait ModelTypes: Sized + Send + 'static {
    type Entity: Entity;
    /// What goes to the journal at once.
    type Write: Send + 'static;
    /// Changes that wait to go.
    type Staged: Default + Send;
    /// What a read brings.
    type Found: Send + 'static;
    /// What a recovery gathers of older command ids.
    type Older: Default + Send;
}

pub(super) type IdOf<M> = <<M as ModelTypes>::Entity as Entity>::Id;
