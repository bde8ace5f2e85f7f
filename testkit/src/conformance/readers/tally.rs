use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use std::convert::Infallible;

/// An entity whose events are numbers: in the cases each says how many there were before it, and itself.
pub(crate) struct Tally(u64);

impl Entity for Tally {
    const KIND: &'static str = "tally";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);

    fn initial(_: &String) -> Self {
        Self(0)
    }
}

impl EventSourced for Tally {
    fn apply(&mut self, event: &u64) {
        self.0 = *event;
    }
}

impl Handle<u64> for Tally {
    type Reply = u64;
    type Rejection = Infallible;

    fn handle(&self, by: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(ctx.persist(self.0 + by).reply(self.0))
    }
}
