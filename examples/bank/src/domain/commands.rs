//! One command after the other: what it carries, and what an account makes of it.

use super::{Account, AccountEvent, Applied, Money, Refused, Standing, Status};
use actum::{Ctx, Effect, Handle};
use serde::{Deserialize, Serialize};

/// The most characters the name of an owner has.
const OWNER_CHARS_MAX: usize = 100;

/// Opens the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Open {
    /// For whom: 1 to 100 characters, not counting spaces around them.
    pub owner: String,
}

/// Brings money in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Deposit {
    /// How much; at least 1.
    pub amount: Money,
}

/// Takes money out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Withdraw {
    /// How much; at least 1, and no more than there is.
    pub amount: Money,
}

/// Closes the account, which must be empty.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Close;

/// Asks how the account stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Balance;

type Decision = Result<Effect<Account, Applied>, Refused>;

impl Handle<Open> for Account {
    type Reply = Applied;
    type Rejection = Refused;

    fn handle(&self, Open { owner }: Open, ctx: &Ctx<'_, Self>) -> Decision {
        match self.status {
            Status::Unopened => {}
            Status::Open => return Err(Refused::AlreadyOpen),
            Status::Closed => return Err(Refused::Closed),
        }
        let owner = owner.trim();
        match owner.chars().count() {
            1..=OWNER_CHARS_MAX => happens(AccountEvent::Opened { owner: owner.to_owned() }, ctx),
            found => Err(Refused::OwnerInvalid { max: OWNER_CHARS_MAX, found }),
        }
    }
}

impl Handle<Deposit> for Account {
    type Reply = Applied;
    type Rejection = Refused;

    fn handle(&self, Deposit { amount }: Deposit, ctx: &Ctx<'_, Self>) -> Decision {
        let balance = self.in_use()?.balance;
        positive(amount)?;
        balance.checked_add(amount).ok_or(Refused::BalanceOverflow { balance, amount })?;
        happens(AccountEvent::Deposited { amount }, ctx)
    }
}

impl Handle<Withdraw> for Account {
    type Reply = Applied;
    type Rejection = Refused;

    fn handle(&self, Withdraw { amount }: Withdraw, ctx: &Ctx<'_, Self>) -> Decision {
        let balance = self.in_use()?.balance;
        positive(amount)?;
        balance.checked_sub(amount).ok_or(Refused::InsufficientFunds { balance, amount })?;
        happens(AccountEvent::Withdrawn { amount }, ctx)
    }
}

impl Handle<Close> for Account {
    type Reply = Applied;
    type Rejection = Refused;

    fn handle(&self, Close: Close, ctx: &Ctx<'_, Self>) -> Decision {
        match self.in_use()?.balance {
            Money::ZERO => happens(AccountEvent::Closed, ctx),
            balance => Err(Refused::NotEmpty { balance }),
        }
    }
}

impl Handle<Balance> for Account {
    type Reply = Standing;
    type Rejection = Refused;

    fn handle(
        &self,
        Balance: Balance,
        ctx: &Ctx<'_, Self>,
    ) -> Result<Effect<Self, Standing>, Refused> {
        if self.status == Status::Unopened {
            return Err(Refused::NotOpen);
        }
        let Self { owner, status, balance } = self.clone();
        let revision = ctx.sequence_nr().get();
        Ok(ctx.none().reply(Standing { owner, status, balance, revision }))
    }
}

impl Account {
    fn in_use(&self) -> Result<&Self, Refused> {
        match self.status {
            Status::Unopened => Err(Refused::NotOpen),
            Status::Open => Ok(self),
            Status::Closed => Err(Refused::Closed),
        }
    }
}

fn positive(amount: Money) -> Result<(), Refused> {
    if amount == Money::ZERO { Err(Refused::AmountNotPositive) } else { Ok(()) }
}

/// Stores one event, and answers with it and what it leads to.
fn happens(event: AccountEvent, ctx: &Ctx<'_, Account>) -> Decision {
    let revision = ctx.sequence_nr().next().get();
    let effect = ctx.persist(event.clone());
    Ok(effect.reply_with(move |account| Applied { event, balance: account.balance, revision }))
}
