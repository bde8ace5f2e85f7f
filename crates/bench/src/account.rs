//! The entity that is measured: an account whose events are some 80 bytes of JSON.

use actum::{Ctx, Effect, Entity, EventSourced, Handle, Json};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// Its events, its state and its commands own nothing on the heap, so what is allocated is allocated by the runtime.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Deposited {
    pub(crate) amount: u64,
    pub(crate) reference: u64,
    pub(crate) branch: u64,
    pub(crate) day: u64,
}

/// Persists an event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Deposit {
    pub(crate) amount: u64,
    pub(crate) reference: u64,
}

/// Persists nothing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Balance;

actum::payload!(Json: Deposited = "deposited", Deposit = "deposit", Balance = "balance");

/// The state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Account {
    pub(crate) balance: u64,
    pub(crate) deposits: u64,
}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = Deposited;
    type Commands = (Deposit, Balance);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Account {
    fn apply(&mut self, deposited: &Deposited) {
        self.balance = self.balance.wrapping_add(deposited.amount);
        self.deposits += 1;
    }
}

impl Handle<Deposit> for Account {
    type Reply = u64;
    type Rejection = Infallible;

    fn handle(&self, deposit: Deposit, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        let event = deposited(deposit.amount, deposit.reference);
        Ok(Effect::persist(event).reply_with(|account: &Self| account.balance))
    }
}

impl Handle<Balance> for Account {
    type Reply = u64;
    type Rejection = Infallible;

    fn handle(&self, _: Balance, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(self.balance))
    }
}

/// The event of a deposit.
pub(crate) fn deposited(amount: u64, reference: u64) -> Deposited {
    Deposited { amount, reference, branch: 20_080, day: 20_260 }
}

/// The id of account `nr`.
pub(crate) fn account_id(nr: u32) -> String {
    format!("acc-{nr:08}")
}
