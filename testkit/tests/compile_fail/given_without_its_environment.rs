use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_testkit::Given;
use std::convert::Infallible;

/// Has no `Default`.
struct Limits {
    largest: u64,
}

#[derive(Debug)]
struct Account(u64);

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = Limits;
    type Event = u64;
    type Commands = (u64,);
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
        Ok(ctx.persist(n).reply_with(|account| account.0))
    }
}

fn main() {
    Given::<Account>::entity("a").when(1u64).then_reply(1);
}
