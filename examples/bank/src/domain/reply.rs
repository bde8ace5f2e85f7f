use super::{AccountEvent, Money, Status};
use serde::{Deserialize, Serialize};

/// The answer to everything that changes an account: what happened, and where that left it.
///
/// It is recorded with the event, so a retry with the same command id gets the very same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// What happened.
    #[serde(flatten)]
    pub event: AccountEvent,
    /// What is on the account after it.
    pub balance: Money,
    /// The number of the event within the account, from 1.
    pub revision: u64,
}

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whose it is.
    pub owner: String,
    /// Whether it is in use.
    pub status: Status,
    /// What is on it.
    pub balance: Money,
    /// How many events it has.
    pub revision: u64,
}
