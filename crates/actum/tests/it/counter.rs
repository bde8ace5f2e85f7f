use actum::{Ctx, Effect, Entity, EventSourced, Handle};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// The sum of its events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counter(u64);

actum::payload!(actum::Json: Counter = "counter");

impl Entity for Counter {
    const KIND: &'static str = "counter";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Self(0)
    }
}

impl EventSourced for Counter {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

impl Handle<u64> for Counter {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, by: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(ctx.persist(by))
    }
}
