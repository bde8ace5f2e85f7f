use actum_model::{Ctx, Effect, Entity, EventSourced, Handle, Lists, Payload};
use std::convert::Infallible;

struct Account;

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64, bool); // not `String`
    fn initial(_: &String) -> Self {
        Account
    }
}

impl EventSourced for Account {
    fn apply(&mut self, _: &u64) {}
}

impl Handle<u64> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}

impl Handle<String> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: String, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}

impl Handle<bool> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: bool, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(Effect::none())
    }
}

fn ask<E, C, I>(_: C)
where
    E: Handle<C>,
    C: Payload,
    E::Commands: Lists<C, I>,
{
}

fn main() {
    ask::<Account, _, _>(7u64);
    ask::<Account, _, _>(String::from("close"));
}
