use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_runtime::EntityRef;
use std::convert::Infallible;

#[derive(Clone)]
struct Account(u64);

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
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

async fn all_at_once(account: EntityRef<Account>) {
    tokio::spawn(account.ask(1u64));
    tokio::spawn(account.ask(1u64).with_receipt());
}

fn main() {}
