use actum_persistence::store::StoreError;
use sqlx::error::DatabaseError;
use std::error::Error;

/// Why a store that was closed does nothing more.
pub(crate) const CLOSED: &str = "the store was closed";

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
    /// Returns the fault of an error.
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

/// Whether SQLite refused what was written: a constraint of a table, checked by a statement or at the end.
pub(crate) fn is_constraint(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(19)
}

/// Whether an error says that the database cannot be used at the moment, or has not the table or the column that a statement
/// names, and nothing of a row.
pub(crate) fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        // busy, locked, no memory, read-only, a failing disk, full, cannot be opened, locked by another program
        sqlx::Error::Database(_) => {
            matches!(primary_code(error), Some(5 | 6 | 7 | 8 | 10 | 13 | 14 | 15))
                || is_missing(error)
        }
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// How SQLite says that the schema has no such table or column. There is no code of its own for that.
const MISSING: [&str; 4] =
    ["no such table: ", "no such view: ", "no such column: ", " has no column named "];

/// Whether a table or a column is not there, as before a migration. A function that is not there is the handler's mistake, also
/// in a branch that few events reach: waiting would not mend it.
fn is_missing(error: &sqlx::Error) -> bool {
    let says =
        |error: &dyn DatabaseError| MISSING.iter().any(|text| error.message().contains(text));
    primary_code(error) == Some(1) && error.as_database_error().is_some_and(says)
}

fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?.parse::<u32>().ok()?;
    Some(code & 0xff)
}

/// What an error of sqlx says, for a message that goes before it: the error inside of those that repeat what that says.
pub(crate) fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(inside) => inside.into(),
        sqlx::Error::Io(inside) => inside.into(),
        sqlx::Error::Configuration(inside)
        | sqlx::Error::Encode(inside)
        | sqlx::Error::Decode(inside) => inside,
        sqlx::Error::ColumnDecode { index, source } => format!("column {index}: {source}").into(),
        other => other.into(),
    }
}

/// The error of a statement that failed while `doing` something, in a transaction that will not be committed, or in
/// none.
pub(crate) fn store_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Busy | Fault::Full | Fault::ReadOnly | Fault::CannotOpen | Fault::Other => {
            StoreError::unavailable(doing, cause(error))
        }
        Fault::TooBig => {
            StoreError::invalid(format!("{doing}: a value is larger than SQLite takes"))
        }
        Fault::Taken | Fault::Corrupt | Fault::NotADatabase => {
            StoreError::corrupt(format!("{doing}: {}", cause(error)))
        }
    }
}

/// The error of a COMMIT that failed while `doing` something.
///
/// When the lock was not to be had or the disk was full, the frame that ends the transaction cannot be in the log.
/// After any other error it may be, and count after the next restart, although this process does not see it.
pub(crate) fn commit_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Busy | Fault::Full => StoreError::unavailable(doing, cause(error)),
        _ => StoreError::outcome_unknown(doing, cause(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::{Connection, SqliteConnection};

    #[test]
    fn a_commit_that_failed_for_any_but_two_reasons_is_unknown() {
        let unknown = commit_error("x", sqlx::Error::WorkerCrashed);
        assert!(matches!(unknown, StoreError::OutcomeUnknown { .. }));
        let io = sqlx::Error::Io(std::io::ErrorKind::Other.into());
        assert!(commit_error("x", io).maybe_written());
    }

    /// The messages of an error and of everything below it.
    fn chain(error: &dyn Error) -> Vec<String> {
        let below = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
        below.map(ToString::to_string).collect()
    }

    fn of_sqlx() -> Vec<sqlx::Error> {
        let inside = || Box::<dyn Error + Send + Sync>::from("the inside");
        vec![
            sqlx::Error::Io(std::io::Error::other("the inside")),
            sqlx::Error::Io(std::io::ErrorKind::StorageFull.into()),
            sqlx::Error::Configuration(inside()),
            sqlx::Error::Encode(inside()),
            sqlx::Error::Decode(inside()),
            sqlx::Error::ColumnDecode { index: "7".into(), source: inside() },
            sqlx::Error::ColumnIndexOutOfBounds { index: 9, len: 3 },
            sqlx::Error::Protocol("the inside".into()),
            sqlx::Error::RowNotFound,
            sqlx::Error::WorkerCrashed,
        ]
    }

    /// Errors of SQLite itself, each with what it means.
    async fn of_sqlite() -> Vec<(Fault, sqlx::Error)> {
        let mut found = Vec::new();
        for (fault, statements) in [
            (Fault::Corrupt, "SELECT nothing"),
            (Fault::Corrupt, "CREATE TABLE t (x CHECK (x > 1)); INSERT INTO t VALUES (1)"),
            (Fault::Taken, "CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1), (1)"),
            (Fault::Taken, "CREATE TABLE t (x INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (1)"),
            (Fault::Full, "PRAGMA max_page_count = 1; CREATE TABLE t (x); CREATE TABLE u (x)"),
            (Fault::ReadOnly, "PRAGMA query_only = 1; CREATE TABLE t (x)"),
            (Fault::TooBig, "SELECT zeroblob(9223372036854775807)"),
        ] {
            let mut memory = SqliteConnection::connect("sqlite::memory:").await.unwrap();
            let done = sqlx::raw_sql(statements).execute(&mut memory).await;
            found.push((fault, done.expect_err(statements)));
        }
        let missing = SqliteConnection::connect("sqlite:///no-such-directory/file").await;
        found.push((Fault::CannotOpen, missing.expect_err("there is no such directory")));
        found
    }

    #[tokio::test]
    async fn an_error_of_sqlite_is_classified_by_its_code() {
        for (fault, error) in of_sqlite().await {
            assert_eq!(Fault::of(&error), fault, "{error}");
        }
    }

    #[tokio::test]
    async fn a_commit_that_found_the_disk_full_is_no_commit() {
        for (fault, error) in of_sqlite().await {
            let unknown = commit_error("x", error).maybe_written();
            assert_eq!(unknown, fault != Fault::Full, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn what_a_statement_found_wrong_is_distinguished_from_what_may_be_better_next_time() {
        for (fault, error) in of_sqlite().await {
            let error = store_error("x", error);
            let as_expected = match fault {
                Fault::Corrupt | Fault::Taken => matches!(error, StoreError::Corrupt { .. }),
                Fault::TooBig => matches!(error, StoreError::Invalid { .. }),
                _ => matches!(error, StoreError::Unavailable { .. }),
            };
            assert!(as_expected, "{fault:?}: {error:?}");
        }
        let column = || sqlx::Error::ColumnDecode { index: "7".into(), source: "a text".into() };
        let corrupt = [column(), sqlx::Error::Decode("a gap".into()), sqlx::Error::RowNotFound];
        for error in corrupt {
            assert!(matches!(store_error("x", error), StoreError::Corrupt { .. }));
        }
    }

    #[tokio::test]
    async fn no_error_says_what_the_one_above_it_has_said() {
        let (mut stated, mut committed) = (of_sqlx(), of_sqlx());
        stated.extend(of_sqlite().await.into_iter().map(|(_, error)| error));
        committed.extend(of_sqlite().await.into_iter().map(|(_, error)| error));
        let stated = stated.into_iter().map(|error| store_error("reading", error));
        let committed = committed.into_iter().map(|error| commit_error("writing", error));
        for error in stated.chain(committed) {
            let said = chain(&error);
            for (nr, below) in said.iter().enumerate().skip(1) {
                assert!(said[..nr].iter().all(|above| !above.contains(below)), "{said:#?}");
            }
            let line = said.join(": ");
            assert!(!line.contains("returned from database"), "{line}");
            assert!(line.matches("the inside").count() < 2, "{line}");
        }
    }

    #[test]
    fn extended_codes_are_classified_by_their_lowest_byte() {
        for (code, fault) in [
            (5 | (2 << 8), Fault::Busy),        // BUSY_SNAPSHOT
            (8 | (6 << 8), Fault::ReadOnly),    // READONLY_DIRECTORY
            (10 | (4 << 8), Fault::Other),      // IOERR_FSYNC
            (11 | (1 << 8), Fault::Corrupt),    // CORRUPT_VTAB
            (14 | (2 << 8), Fault::CannotOpen), // CANTOPEN_ISDIR
            (26, Fault::NotADatabase),
            (6 | (1 << 8), Fault::Busy), // LOCKED_SHAREDCACHE
        ] {
            assert_eq!(Fault::of_code(code & 0xff), fault);
        }
    }
}
