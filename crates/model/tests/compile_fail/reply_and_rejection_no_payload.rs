use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use std::{error::Error, fmt};

struct Account;
struct Receipt;

#[derive(Debug)]
struct Insufficient;

impl fmt::Display for Insufficient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("insufficient funds")
    }
}

impl Error for Insufficient {}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = u64;
    type Commands = (u64,);
    fn initial(_: &String) -> Self {
        Account
    }
}

impl EventSourced for Account {
    fn apply(&mut self, _: &u64) {}
}

impl Handle<u64> for Account {
    type Reply = Receipt;
    type Rejection = Insufficient;
    fn handle(&self, _: u64, _: &Ctx<'_, Self>) -> Result<Effect<Self, Receipt>, Insufficient> {
        Ok(Effect::none().reply(Receipt))
    }
}

fn main() {}
