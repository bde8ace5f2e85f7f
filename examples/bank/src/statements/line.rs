use crate::domain::AccountEvent;
use actum::HandlerError;
use serde::{Deserialize, Serialize};

/// A line of a statement: what happened to an account, and what was on it then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// The number of the event within the account, from 1.
    pub revision: u64,
    /// When it happened.
    pub at: String,
    /// The day, in the zone of the statements.
    pub day: String,
    /// `opened`, `deposited`, `withdrawn` or `closed`.
    #[serde(rename = "type")]
    pub what: String,
    /// What came in, or went out if it is negative, in minor units.
    pub amount: i64,
    /// What was on the account after it.
    pub balance: i64,
}

/// What was moved on a day, on all accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    /// The day, in the zone of the statements.
    pub day: String,
    /// How many deposits there were.
    pub deposits: u64,
    /// How much came in, in minor units.
    pub deposited: u128,
    /// How many withdrawals there were.
    pub withdrawals: u64,
    /// How much went out.
    pub withdrawn: u128,
}

/// An event, as a line has it.
pub(super) struct Entry {
    pub(super) what: &'static str,
    pub(super) amount: i64,
}

impl Entry {
    pub(super) fn of(event: &AccountEvent) -> Result<Self, HandlerError> {
        let (what, amount) = match event {
            AccountEvent::Opened { .. } => ("opened", 0),
            AccountEvent::Deposited { amount } => {
                ("deposited", i64::try_from(amount.minor_units())?)
            }
            AccountEvent::Withdrawn { amount } => {
                ("withdrawn", -i64::try_from(amount.minor_units())?)
            }
            AccountEvent::Closed => ("closed", 0),
        };
        Ok(Self { what, amount })
    }

    /// What it adds to its day, if it moves anything.
    pub(super) fn adds(&self) -> Option<DayTotal> {
        let moved = u128::from(self.amount.unsigned_abs());
        let nothing = DayTotal {
            day: String::new(),
            deposits: 0,
            deposited: 0,
            withdrawals: 0,
            withdrawn: 0,
        };
        match self.amount {
            0 => None,
            1.. => Some(DayTotal { deposits: 1, deposited: moved, ..nothing }),
            _ => Some(DayTotal { withdrawals: 1, withdrawn: moved, ..nothing }),
        }
    }
}

/// A row of a statement: revision, time, day, what, amount, balance.
pub(super) type LineRow = (i64, String, String, String, i64, i64);

/// A row of a day: day, deposits, deposited, withdrawals, withdrawn; sums as text, since they may be larger than any integer of a
/// database.
pub(super) type DayRow = (String, i64, String, i64, String);

pub(super) fn line((revision, at, day, what, amount, balance): LineRow) -> StatementLine {
    StatementLine { revision: revision.cast_unsigned(), at, day, what, amount, balance }
}

pub(super) fn day_total(
    (day, deposits, deposited, withdrawals, withdrawn): DayRow,
) -> Result<DayTotal, std::num::ParseIntError> {
    let (deposits, withdrawals) = (deposits.cast_unsigned(), withdrawals.cast_unsigned());
    let (deposited, withdrawn) = (deposited.parse()?, withdrawn.parse()?);
    Ok(DayTotal { day, deposits, deposited, withdrawals, withdrawn })
}

/// Says that rows are of another zone.
pub(super) fn other_zone(there: &str, zone: &super::Zone) -> HandlerError {
    HandlerError::failed(format!(
        "the days are those of {there}, and this bank is set to {zone}: start it with --zone {there}, or build them again with \
         `bank projections rebuild {}`",
        super::PROJECTION
    ))
}
