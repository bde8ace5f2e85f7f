use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use std::convert::Infallible;

struct Account;

#[derive(Clone)]
struct Closed;

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = Closed;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Account
    }
}

impl EventSourced for Account {
    fn apply(&mut self, _: &Closed) {}
}

impl Handle<u64> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::persist(Closed))
    }
}

fn main() {}
