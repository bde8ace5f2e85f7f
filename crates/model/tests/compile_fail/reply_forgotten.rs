use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use std::convert::Infallible;

struct Account(u64);

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64, bool);
    fn initial(_: &String) -> Self {
        Account(0)
    }
}

impl EventSourced for Account {
    fn apply(&mut self, event: &u64) {
        self.0 += event;
    }
}

impl Handle<u64> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, n: u64, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(ctx.persist(n).passivate())
    }
}

impl Handle<bool> for Account {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, _: bool, _: &Ctx<'_, Self>) -> Result<Effect<Self, String>, Infallible> {
        let nothing_to_do = Effect::none();
        Ok(nothing_to_do)
    }
}

fn main() {}
