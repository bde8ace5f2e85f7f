use crate::{
    fault::store_error,
    row::{Row, column},
    transaction::Failed,
};
use actum_persistence::progress::SaveError;

pub(super) const DOING: &str = "saving the progress of a projection";

/// What the database says to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeVerdict {
    /// It is made, and kept when the transaction commits.
    Made,
    /// Nothing was changed: a segment has another epoch.
    Stale,
    /// Nothing was changed: this is not the transaction that was begun.
    Broken,
}

/// What an answer says whose first columns are whether the transaction is the one that was begun, and whether the epochs
/// are those that were said.
pub(super) fn verdict(rows: &[Row]) -> Result<ChangeVerdict, Failed> {
    let read = || -> Result<ChangeVerdict, sqlx::Error> {
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(match (column(row, 0)?, column(row, 1)?) {
            (false, _) => ChangeVerdict::Broken,
            (true, false) => ChangeVerdict::Stale,
            (true, true) => ChangeVerdict::Made,
        })
    };
    read().map_err(|error| store_error(DOING, error).into())
}

impl ChangeVerdict {
    /// What it means for who has asked for the change.
    pub(super) fn into_result(self) -> Result<(), SaveError> {
        match self {
            Self::Made => Ok(()),
            Self::Stale => Err(SaveError::Stale),
            Self::Broken => Err(SaveError::Broken { cause: None }),
        }
    }
}
