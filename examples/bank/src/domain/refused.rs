use super::Money;
use serde::{Deserialize, Serialize};

/// Why an account refuses a command: the rules of the bank. Nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// No one has opened the account.
    #[error("the account does not exist")]
    NotOpen,
    /// The account is in use; it cannot be opened again.
    #[error("the account is open already")]
    AlreadyOpen,
    /// The account was closed, for good.
    #[error("the account is closed")]
    Closed,
    /// There is money on the account, so it cannot be closed.
    #[error("the account holds {balance}: withdraw that before closing it")]
    NotEmpty {
        /// How much.
        balance: Money,
    },
    /// More is asked for than there is.
    #[error("the account holds {balance}, {amount} cannot be withdrawn")]
    InsufficientFunds {
        /// What there is.
        balance: Money,
        /// What was asked for.
        amount: Money,
    },
    /// The balance would pass the largest amount there is.
    #[error("the account holds {balance}, with {amount} more it would pass {}", Money::MAX)]
    BalanceOverflow {
        /// What there is.
        balance: Money,
        /// What was to come in.
        amount: Money,
    },
    /// Nothing is moved by nothing.
    #[error("an amount is at least 1")]
    AmountNotPositive,
    /// The name of the owner is empty or too long.
    #[error("the name of the owner has 1 to {max} characters, not {found}")]
    OwnerInvalid {
        /// The most it may have.
        max: usize,
        /// What it has, without spaces around it.
        found: usize,
    },
}
