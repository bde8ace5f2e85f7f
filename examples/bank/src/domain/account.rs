use super::{
    AccountEvent, Applied, Balance, Close, Deposit, Money, Open, Refused, Standing, Withdraw,
};
use actum::{Entity, EventSourced, Json};
use serde::{Deserialize, Serialize};

/// An account: the state folded from its events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    pub(super) status: Status,
    pub(super) owner: String,
    pub(super) balance: Money,
}

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing has happened to it.
    #[default]
    Unopened,
    /// It is in use.
    Open,
    /// It was closed and stays so.
    Closed,
}

// What is stored or sent: each type with its codec and its stored name.
actum::payload! { Json:
    Account = "account-state", Open = "open", Deposit = "deposit", Withdraw = "withdraw", Close = "close",
    Balance = "balance", Applied = "applied", Standing = "standing", Refused = "refused"
}

impl Entity for Account {
    const KIND: &'static str = "account";
    type Id = String;
    type Env = ();
    type Event = AccountEvent;
    type Commands = (Open, Deposit, Withdraw, Close, Balance);

    fn initial(_: &String) -> Self {
        Self::default()
    }
}

impl EventSourced for Account {
    fn apply(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Opened { owner } => {
                self.status = Status::Open;
                self.owner.clone_from(owner);
            }
            AccountEvent::Deposited { amount } => {
                let balance = self.balance.checked_add(*amount);
                self.balance = balance.expect("no handler lets a balance overflow");
            }
            AccountEvent::Withdrawn { amount } => {
                let balance = self.balance.checked_sub(*amount);
                self.balance = balance.expect("no handler lets more out than there is");
            }
            AccountEvent::Closed => self.status = Status::Closed,
        }
    }
}
