use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use std::convert::Infallible;

/// An entity for tests that need one of any type.
pub(crate) struct TestCounter(u64);

impl Entity for TestCounter {
    const KIND: &'static str = "counter";
    type Id = u64;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);

    fn initial(_: &u64) -> Self {
        Self(0)
    }
}

impl EventSourced for TestCounter {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

impl Handle<u64> for TestCounter {
    type Reply = ();
    type Rejection = Infallible;

    fn handle(&self, by: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, ()>, Infallible> {
        Ok(Effect::persist(by).reply(()))
    }
}
