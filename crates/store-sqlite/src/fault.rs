use actum_persistence::store::StoreError;

/// What an error of SQLite or sqlx means, whatever was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another connection holds a lock for longer than the busy timeout.
    Busy,
    /// The disk, or the largest size allowed, is full.
    Full,
    /// The file cannot be written to.
    ReadOnly,
    /// The file, or one beside it, cannot be opened.
    CannotOpen,
    /// A row of this key is there already.
    Taken,
    /// A value is larger than SQLite takes.
    TooBig,
    /// The file is no database.
    NotADatabase,
    /// What the file holds cannot be right.
    Corrupt,
    /// The disk, the memory, the thread of the connection: anything that may be better next time.
    Other,
}

impl Fault {
    /// Tells the fault of an error.
    ///
    /// The numbers are SQLite's result codes (<https://www.sqlite.org/rescode.html>): the primary code is the lowest
    /// byte of the extended one.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                if error.is_unique_violation() {
                    return Self::Taken;
                }
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                Self::of_code(code.unwrap_or(1) & 0xff)
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::RowNotFound => Self::Corrupt,
            _ => Self::Other,
        }
    }

    fn of_code(primary: u32) -> Self {
        match primary {
            5 | 6 => Self::Busy,
            8 => Self::ReadOnly,
            13 => Self::Full,
            14 => Self::CannotOpen,
            18 => Self::TooBig,
            // a failed check, a missing table, a wrong type: not as the schema says
            1 | 11 | 17 | 19 | 20 | 24 => Self::Corrupt,
            26 => Self::NotADatabase,
            _ => Self::Other,
        }
    }
}

/// The error of a statement that failed while `doing` something, in a transaction that will not be committed, or in none.
pub(crate) fn store_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Busy | Fault::Full | Fault::ReadOnly | Fault::CannotOpen | Fault::Other => {
            StoreError::unavailable(doing, error)
        }
        Fault::TooBig => {
            StoreError::invalid(format!("{doing}: a value is larger than SQLite takes"))
        }
        Fault::Taken | Fault::Corrupt | Fault::NotADatabase => {
            StoreError::corrupt(format!("{doing}: {error}"))
        }
    }
}

/// The error of a COMMIT that failed while `doing` something.
///
/// When the lock was not to be had or the disk was full, the frame that ends the transaction cannot be in the log.
/// After any other error it may be, and count after the next restart, although this process does not see it.
pub(crate) fn commit_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Busy | Fault::Full => StoreError::unavailable(doing, error),
        _ => StoreError::outcome_unknown(doing, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_failed_for_any_but_two_reasons_is_unknown() {
        let unknown = commit_error("x", sqlx::Error::WorkerCrashed);
        assert!(matches!(unknown, StoreError::OutcomeUnknown { .. }));
        let io = sqlx::Error::Io(std::io::ErrorKind::Other.into());
        assert!(commit_error("x", io).maybe_written());
    }

    #[test]
    fn extended_codes_are_told_by_their_lowest_byte() {
        for (code, fault) in [
            (5 | (2 << 8), Fault::Busy),        // BUSY_SNAPSHOT
            (8 | (6 << 8), Fault::ReadOnly),    // READONLY_DIRECTORY
            (10 | (4 << 8), Fault::Other),      // IOERR_FSYNC
            (11 | (1 << 8), Fault::Corrupt),    // CORRUPT_VTAB
            (14 | (2 << 8), Fault::CannotOpen), // CANTOPEN_ISDIR
        ] {
            assert_eq!(Fault::of_code(code & 0xff), fault);
        }
    }
}
