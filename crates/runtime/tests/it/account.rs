//! An event-sourced entity in good order.

use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum AccountEvent {
    Deposited(u64),
    Withdrawn(u64),
}

/// Answered with the balance after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Deposit(pub(crate) u64);
/// As many events as amounts, all or none.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DepositAll(pub(crate) Vec<u64>);
/// Refused when the balance is too small.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Withdraw(pub(crate) u64);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Balance;
/// The entity leaves memory; before that it takes this much, if anything.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Leave(pub(crate) u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Insufficient {
    pub(crate) short_by: u64,
}

impl fmt::Display for Insufficient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "short by {}", self.short_by)
    }
}

impl std::error::Error for Insufficient {}

actum_model::payload! {
    Json: Account = "account.state", AccountEvent = "account", Deposit = "deposit",
    DepositAll = "deposit-all", Withdraw = "withdraw", Balance = "balance", Leave = "leave",
    Insufficient = "insufficient"
}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = AccountEvent;
    type Commands = (Deposit, DepositAll, Withdraw, Balance, Leave);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Account {
    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Deposited(amount) => self.balance += amount,
            AccountEvent::Withdrawn(amount) => self.balance -= amount,
        }
    }
}

type Answer<X = Infallible> = Result<Effect<Account, u64>, X>;

fn balance(account: &Account) -> u64 {
    account.balance
}

impl Handle<Deposit> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Deposit(amount): Deposit, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::persist(AccountEvent::Deposited(amount)).reply_with(balance))
    }
}

impl Handle<DepositAll> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, DepositAll(amounts): DepositAll, _: &Ctx<'_, Self>) -> Answer {
        let events = amounts.into_iter().map(AccountEvent::Deposited);
        Ok(Effect::persist_all(events).reply_with(balance))
    }
}

impl Handle<Withdraw> for Account {
    type Reply = u64;
    type Rejection = Insufficient;
    fn handle(&self, Withdraw(amount): Withdraw, _: &Ctx<'_, Self>) -> Answer<Insufficient> {
        if let Some(short_by @ 1..) = amount.checked_sub(self.balance) {
            return Err(Insufficient { short_by });
        }
        Ok(Effect::persist(AccountEvent::Withdrawn(amount)).reply_with(balance))
    }
}

impl Handle<Balance> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Balance: Balance, _: &Ctx<'_, Self>) -> Answer {
        Ok(Effect::none().reply(self.balance))
    }
}

impl Handle<Leave> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, Leave(amount): Leave, _: &Ctx<'_, Self>) -> Answer {
        let events = (amount > 0).then_some(AccountEvent::Deposited(amount));
        Ok(Effect::persist_all(events).passivate().reply_with(balance))
    }
}
