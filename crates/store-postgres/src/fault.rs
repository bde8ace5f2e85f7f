use actum_persistence::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::error::Error;

/// What an error of PostgreSQL or sqlx means, whatever was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is gone, or cannot be trusted any more.
    Lost,
    /// The server shuts down, starts up, or has no connection to spare.
    Away,
    /// Two transactions were in each other's way and one was given up: the same again may do.
    Crossed,
    /// A lock or the statement took too long.
    Slow,
    /// The disk, or the memory, of the server is used up.
    Full,
    /// The server takes no writes: it is a replica, or was told so.
    ReadOnly,
    /// A row of this key is there already.
    Taken,
    /// A value is larger than PostgreSQL takes.
    TooBig,
    /// A table or function is not there.
    Missing,
    /// The user may not do it.
    Rights,
    /// The server does not believe who is calling, or does not let that one in.
    Login,
    /// There is no such database.
    NoDatabase,
    /// No encrypted connection could be made.
    Tls,
    /// What the database holds, or answers, cannot be right.
    Corrupt,
    /// The disk of the server, its inside: anything that may be better next time.
    Other,
}

impl Fault {
    /// Tells the fault of an error.
    ///
    /// The codes are SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): two characters of
    /// class, three of what it is.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let error = error.downcast_ref::<PgDatabaseError>();
                Self::of_state(error.code(), is_last_word(error.severity()))
            }
            sqlx::Error::Tls(_) => Self::Tls,
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::RowNotFound => Self::Corrupt,
            _ => Self::Lost,
        }
    }

    fn of_state(state: &str, is_last_word: bool) -> Self {
        match state {
            "3D000" => return Self::NoDatabase,
            "42501" => return Self::Rights,
            "53100" | "53200" => return Self::Full,
            "53300" | "57P03" => return Self::Away,
            _ if state.starts_with("28") => return Self::Login,
            _ if is_last_word => return Self::Lost,
            _ => {}
        }
        match state {
            "57P01" | "57P02" | "57P05" | "25P03" => Self::Lost,
            "40001" | "40P01" => Self::Crossed,
            "55P03" | "57014" => Self::Slow,
            "25006" => Self::ReadOnly,
            "23505" => Self::Taken,
            "3F000" | "42P01" | "42703" | "42704" | "42883" => Self::Missing,
            _ => match &state[..state.len().min(2)] {
                "08" => Self::Lost,
                "53" => Self::Away,
                "54" => Self::TooBig,
                // not as the schema says: a failed check, a wrong type, a value that does not fit, damaged pages
                "21" | "22" | "23" | "42" => Self::Corrupt,
                _ if matches!(state, "XX001" | "XX002") => Self::Corrupt,
                _ => Self::Other,
            },
        }
    }

    /// Whether nothing more can be done on the connection.
    ///
    /// Also when the server takes no writes: a new connection may find the one that does.
    pub(crate) fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::Lost | Self::Away | Self::Login | Self::NoDatabase | Self::Tls | Self::ReadOnly
        )
    }
}

/// The server closes the connection behind such an error.
fn is_last_word(severity: PgSeverity) -> bool {
    matches!(severity, PgSeverity::Panic | PgSeverity::Fatal)
}

/// What an error of sqlx says, for a message that goes before it: the error inside of those that repeat what that says,
/// and what the server adds to its own.
pub(crate) fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(inside) => {
            let inside = inside.downcast::<PgDatabaseError>();
            let extra = [inside.detail(), inside.hint()];
            let extra = extra.into_iter().flatten().map(|more| format!("; {more}"));
            let extra: String = extra.collect();
            format!("{}{extra} (SQLSTATE {})", inside.message(), inside.code()).into()
        }
        sqlx::Error::Io(inside) => inside.into(),
        sqlx::Error::Configuration(inside)
        | sqlx::Error::Tls(inside)
        | sqlx::Error::Encode(inside)
        | sqlx::Error::Decode(inside) => inside,
        sqlx::Error::ColumnDecode { index, source } => format!("column {index}: {source}").into(),
        other => other.into(),
    }
}

/// The error of a statement that failed while `doing` something, and left nothing behind.
pub(crate) fn store_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::TooBig => StoreError::invalid(format!("{doing}: {}", cause(error))),
        Fault::Taken | Fault::Corrupt | Fault::Missing => {
            StoreError::corrupt(format!("{doing}: {}", cause(error)))
        }
        _ => StoreError::unavailable(doing, cause(error)),
    }
}

/// The error of a statement that would have committed, while `doing` something.
///
/// What the server reports as an error was rolled back. When the connection broke, or the server had its last word, it
/// may have come after the commit.
pub(crate) fn commit_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Lost => StoreError::outcome_unknown(doing, cause(error)),
        _ => store_error(doing, error),
    }
}
