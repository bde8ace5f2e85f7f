//! A durable state.

use actum_model::{Ctx, DurableState, Effect, Entity, EntityKey, Handle, NoEvents};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) name: String,
}

actum_model::payload!(Json: Customer = "customer");

#[derive(Serialize, Deserialize)]
pub(crate) struct Rename;

actum_model::payload!(Json: Rename = "customer.rename");

impl Entity for Customer {
    const KIND: &'static str = "customer";
    type Id = String;
    type Env = ();
    type Event = NoEvents;
    type Commands = (Rename,);
    fn initial(_: &String) -> Self {
        Self { name: String::new() }
    }
}

impl DurableState for Customer {}

impl Handle<Rename> for Customer {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: Rename, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::none())
    }
}

pub(crate) fn customer(id: &str) -> EntityKey {
    EntityKey::new(Customer::KIND, id).unwrap()
}

pub(crate) fn named(name: &str) -> Option<Customer> {
    Some(Customer { name: name.to_owned() })
}
