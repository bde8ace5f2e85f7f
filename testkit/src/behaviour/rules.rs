use super::{
    imprint::{ReadBack, read_back},
    order::Order,
};
use actum_model::{Entity, Payload};
use std::fmt::Debug;

/// How an entity takes an event, and what is checked of it.
#[doc(hidden)]
pub struct Rules<E: Entity> {
    pub(super) apply: fn(&mut E, &E::Event),
    /// Present when the state itself is stored: a durable state, or one that snapshots are taken of.
    pub(super) codec: Option<Codec<E>>,
    pub(super) order: Order,
    pub(super) handled_twice: bool,
}

pub(super) type Codec<E> = fn(&E, Order) -> Result<ReadBack<E>, String>;

impl<E: Entity> Rules<E> {
    pub(super) fn new(apply: fn(&mut E, &E::Event)) -> Self {
        Self { apply, codec: None, order: Order::Matters, handled_twice: true }
    }

    pub(super) fn with_codec(self) -> Self
    where
        E: Payload + Debug,
    {
        Self { codec: Some(read_back), ..self }
    }
}
