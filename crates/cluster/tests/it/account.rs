//! An entity whose commands go to other nodes.

use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deposited(pub(crate) u64);
/// Answered with the balance after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Deposit(pub(crate) u64);
/// Refused when the balance is smaller.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Need(pub(crate) u64);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Balance;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("short by {short_by}")]
pub(crate) struct Insufficient {
    pub(crate) short_by: u64,
}

actum_model::payload! {
    Json: Deposited = "deposited", Deposit = "deposit", Need = "need", Balance = "balance",
    Insufficient = "insufficient", Account = "account"
}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = Deposited;
    type Commands = (Deposit, Need, Balance);

    fn initial(_: &String) -> Self {
        Self { balance: 0 }
    }
}

impl EventSourced for Account {
    fn apply(&mut self, Deposited(amount): &Deposited) {
        self.balance += amount;
    }
}

impl Handle<Deposit> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(
        &self,
        Deposit(amount): Deposit,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, u64>, Infallible> {
        Ok(ctx.persist(Deposited(amount)).reply_with(|account| account.balance))
    }
}

impl Handle<Need> for Account {
    type Reply = ();
    type Rejection = Insufficient;
    fn handle(
        &self,
        Need(amount): Need,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, ()>, Insufficient> {
        if amount > self.balance {
            return Err(Insufficient { short_by: amount - self.balance });
        }
        Ok(Effect::none().reply(()))
    }
}

impl Handle<Balance> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Balance, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(self.balance))
    }
}
