//! An event-sourced entity in good order.

use actum_model::{Ctx, Effect, Entity, EventSourced, Handle};
use actum_persistence::codec::Json;
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt};

/// An account, with a limit from its environment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: u64,
    pub(crate) open: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum AccountEvent {
    Opened,
    Deposited(u64),
    Withdrawn(u64),
    Closed,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Open;
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Deposit(pub(crate) Vec<u64>);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Withdraw(pub(crate) u64);
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Balance;
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Close;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Refused {
    NotOpen,
    Insufficient { short_by: u64 },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => f.write_str("the account is not open"),
            Self::Insufficient { short_by } => write!(f, "{short_by} short"),
        }
    }
}

impl std::error::Error for Refused {}

actum_model::payload! {
    Json: Account = "account.state", AccountEvent = "account", Open = "open", Deposit = "deposit",
    Withdraw = "withdraw", Balance = "balance", Close = "close", Refused = "refused"
}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = AccountEvent;
    type Commands = (Open, Deposit, Withdraw, Balance, Close);
    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Account {
    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened => self.open = true,
            AccountEvent::Deposited(n) => self.balance += n,
            AccountEvent::Withdrawn(n) => self.balance -= n,
            AccountEvent::Closed => self.open = false,
        }
    }
}

impl Handle<Open> for Account {
    type Reply = ();
    type Rejection = Infallible;
    fn handle(&self, _: Open, _: &Ctx<'_, Self>) -> Result<Effect<Self>, Infallible> {
        Ok(if self.open { Effect::none() } else { Effect::persist(AccountEvent::Opened) })
    }
}

impl Handle<Deposit> for Account {
    type Reply = u64;
    type Rejection = Refused;
    fn handle(
        &self,
        Deposit(amounts): Deposit,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, u64>, Refused> {
        if !self.open {
            return Err(Refused::NotOpen);
        }
        let events = amounts.into_iter().map(AccountEvent::Deposited);
        Ok(Effect::persist_all(events).reply_with(|account: &Account| account.balance))
    }
}

impl Handle<Withdraw> for Account {
    type Reply = u64;
    type Rejection = Refused;
    fn handle(
        &self,
        Withdraw(amount): Withdraw,
        _: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, u64>, Refused> {
        match (self.open, amount.checked_sub(self.balance)) {
            (false, _) => Err(Refused::NotOpen),
            (true, Some(short_by @ 1..)) => Err(Refused::Insufficient { short_by }),
            _ => Ok(Effect::persist(AccountEvent::Withdrawn(amount))
                .reply_with(|account: &Account| account.balance)),
        }
    }
}

impl Handle<Balance> for Account {
    type Reply = u64;
    type Rejection = Infallible;
    fn handle(&self, _: Balance, _: &Ctx<'_, Self>) -> Result<Effect<Self, u64>, Infallible> {
        Ok(Effect::none().reply(self.balance))
    }
}

impl Handle<Close> for Account {
    type Reply = String;
    type Rejection = Infallible;
    fn handle(&self, _: Close, ctx: &Ctx<'_, Self>) -> Result<Effect<Self, String>, Infallible> {
        let by = ctx.metadata().header("by").unwrap_or("nobody");
        let report = format!("{} closed at {} by {by}", ctx.id(), ctx.sequence_nr());
        Ok(Effect::persist(AccountEvent::Closed).reply(report).passivate())
    }
}
