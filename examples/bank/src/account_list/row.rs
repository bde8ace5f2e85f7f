use crate::domain::{AccountEvent, Status};
use actum::{HandlerError, Recorded};
use serde::{Deserialize, Serialize};

/// An account, as the list has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccount {
    /// Its id.
    pub account: String,
    /// Who owns it.
    pub owner: String,
    /// What is on it, in minor units.
    pub balance: i64,
    /// Whether it is in use.
    pub status: Status,
    /// The number of its last event.
    pub revision: u64,
}

/// What an event changes in the row of its account.
pub(super) enum Change<'a> {
    Open { owner: &'a str },
    Move { by: i64 },
    Close,
}

impl<'a> Change<'a> {
    pub(super) fn of(event: &'a AccountEvent) -> Result<Self, HandlerError> {
        Ok(match event {
            AccountEvent::Opened { owner } => Self::Open { owner },
            AccountEvent::Deposited { amount } => {
                Self::Move { by: i64::try_from(amount.minor_units())? }
            }
            AccountEvent::Withdrawn { amount } => {
                Self::Move { by: -i64::try_from(amount.minor_units())? }
            }
            AccountEvent::Closed => Self::Close,
        })
    }
}

/// The number of an event, as a database has it.
pub(crate) fn revision(event: &Recorded<AccountEvent>) -> Result<i64, HandlerError> {
    Ok(i64::try_from(event.sequence_nr.get())?)
}

/// Fails when an event did not find the row as the event in front of it has left it.
pub(crate) fn expect_one(rows: u64, event: &Recorded<AccountEvent>) -> Result<(), HandlerError> {
    if rows == 1 {
        return Ok(());
    }
    let what =
        format!("account {} is not as event {} expects it", event.entity.id(), event.sequence_nr);
    Err(HandlerError::failed(what))
}

/// A row: id, owner, balance, whether it is open, revision.
pub(super) fn listed(
    (account, owner, balance, is_open, revision): (String, String, i64, bool, i64),
) -> ListedAccount {
    let status = if is_open { Status::Open } else { Status::Closed };
    ListedAccount { account, owner, balance, status, revision: revision.cast_unsigned() }
}
