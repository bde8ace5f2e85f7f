use actum_persistence::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::{error::Error, io::ErrorKind};

/// What an error of PostgreSQL or sqlx means, whatever was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is gone, or cannot be used safely any more.
    Lost,
    /// The server shuts down, starts up, or has no connection to spare.
    Away,
    /// The server does not accept how the connection is to be set up.
    Refused,
    /// A statement of the transaction has failed before: it takes no more.
    Aborted,
    /// The connection is not in the state, or does not have the prepared statements, that it should have.
    Stale,
    /// Two transactions were in each other's way and one was given up: the same again may do.
    Crossed,
    /// A lock or the statement took too long.
    Slow,
    /// The disk, or the memory, of the server is used up.
    Full,
    /// The server takes no writes: it is a replica, or was set so.
    ReadOnly,
    /// A row of this key, or a table or schema of this name, is there already.
    Taken,
    /// PostgreSQL cannot keep a value: it is too large, or a text with NUL.
    Unfit,
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
    /// The inside of the server: anything that may be better next time.
    Other,
}

impl Fault {
    /// Returns the fault of an error.
    ///
    /// The codes are SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): two characters of
    /// class, three of what it is.
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inside) => Self::of_server(inside.downcast_ref()),
            // what sqlx cannot do that the server asks for, and texts that it cannot prepare for it
            sqlx::Error::Protocol(text) if text.contains("authentication me") => Self::Login,
            sqlx::Error::Configuration(inside) if is_of_password(inside.as_ref()) => Self::Login,
            // the certificates and keys for it that cannot be used
            sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => Self::Tls,
            // a handshake that fails comes as this; so does a record that is forged later on, which ends it too
            sqlx::Error::Io(inside)
                if inside.kind() == ErrorKind::InvalidData && inside.get_ref().is_some() =>
            {
                Self::Tls
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Away,
            sqlx::Error::Encode(_) => Self::Unfit,
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::RowNotFound => Self::Corrupt,
            _ => Self::Lost,
        }
    }

    /// Returns the fault of an error that the server has reported.
    pub(crate) fn of_server(error: &PgDatabaseError) -> Self {
        Self::of_state(error.code(), is_last_word_of_server(error))
    }

    fn of_state(state: &str, is_last_word: bool) -> Self {
        if is_last_word { Self::of_last_word(state) } else { Self::of_refusal(state) }
    }

    /// An error behind which the server closes the connection. Those that are distinguished come while it is made.
    fn of_last_word(state: &str) -> Self {
        match state {
            "3D000" => Self::NoDatabase,
            "42501" => Self::Rights,
            "53300" | "57P03" => Self::Away,
            _ => match class(state) {
                "28" => Self::Login,
                "0A" | "22" | "42" => Self::Refused,
                _ => Self::Lost,
            },
        }
    }

    /// An error behind which the server goes on.
    fn of_refusal(state: &str) -> Self {
        match state {
            "3D000" => Self::NoDatabase,
            "42501" => Self::Rights,
            "53300" | "57P03" => Self::Away,
            // an idle session or transaction that took too long is reported last, and by some proxies otherwise
            "40003" | "57P01" | "57P02" | "57P04" | "57P05" | "25P03" | "25P04" => Self::Lost,
            "40001" | "40P01" => Self::Crossed,
            "55P03" | "57014" => Self::Slow,
            "25006" => Self::ReadOnly,
            "23505" | "42P06" | "42P07" | "42710" | "42723" => Self::Taken,
            "25P02" => Self::Aborted,
            // a plan whose tables have changed, a statement that another session has prepared
            "0A000" | "26000" | "42P05" => Self::Stale,
            // texts of Rust are UTF-8, so it is NUL that the server does not take
            "22021" => Self::Unfit,
            "3F000" | "42P01" | "42703" | "42704" | "42883" => Self::Missing,
            // pages that are damaged, and a row that must be there once and is not
            "XX001" | "XX002" | "P0002" | "P0003" => Self::Corrupt,
            _ => match class(state) {
                "08" => Self::Lost,
                "28" => Self::Login,
                "53" => Self::Full,
                "54" => Self::Unfit,
                // not as the schema says: a failed check, a wrong type, a value that does not fit
                "21" | "22" | "23" | "42" => Self::Corrupt,
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
            Self::Lost
                | Self::Away
                | Self::Refused
                | Self::Aborted
                | Self::Stale
                | Self::Login
                | Self::NoDatabase
                | Self::Tls
                | Self::ReadOnly
        )
    }
}

fn class(state: &str) -> &str {
    state.get(..2).unwrap_or_default()
}

/// Whether the server closes the connection behind an error.
///
/// sqlx takes the severity from the field that is the same in every language. An answer whose severity it does not know
/// is taken for the worst.
fn is_last_word(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(inside) => is_last_word_of_server(inside.downcast_ref()),
        _ => false,
    }
}

fn is_last_word_of_server(error: &PgDatabaseError) -> bool {
    error.severity() != PgSeverity::Error
}

/// What an error of sqlx says, for a message that goes before it: the error inside of those that repeat what that says,
/// and what the server adds to its own.
pub(crate) fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(inside) => said(&inside.downcast::<PgDatabaseError>()).into(),
        sqlx::Error::Io(inside) if inside.kind() == ErrorKind::UnexpectedEof => {
            format!("the connection was closed: {inside}").into()
        }
        sqlx::Error::Io(inside) => inside.into(),
        // the end of the stream, which sqlx does not look for here, reads as zero
        sqlx::Error::Protocol(text) if text.contains("response from SSLRequest: 0x00") => {
            "the connection was closed".into()
        }
        sqlx::Error::Protocol(text) => text.trim_end_matches('.').into(),
        // it quotes a character
        sqlx::Error::Configuration(inside) if is_of_password(inside.as_ref()) => {
            "the user or the password has a character that cannot be sent".into()
        }
        sqlx::Error::Configuration(inside)
        | sqlx::Error::Tls(inside)
        | sqlx::Error::Encode(inside)
        | sqlx::Error::Decode(inside) => match inside.downcast::<sqlx::Error>() {
            Ok(inside) => cause(*inside),
            Err(inside) => inside,
        },
        sqlx::Error::ColumnDecode { index, source } => format!("column {index}: {source}").into(),
        other => other.into(),
    }
}

/// Whether a text could not be prepared as RFC 4013 has it (SASLprep).
fn is_of_password(inside: &(dyn Error + 'static)) -> bool {
    inside.to_string().starts_with("Failed to saslprep")
}

/// What the server says, on one line.
fn said(error: &PgDatabaseError) -> String {
    let code = error.code();
    // the detail of a row that fails a check is the row
    let detail = error.detail().filter(|_| !matches!(code, "23502" | "23514"));
    let more = [detail, error.hint()].into_iter().flatten().flat_map(str::lines);
    let more: String = more.map(|line| format!("; {}", line.trim_end_matches('.'))).collect();
    let advice = if is_of_pooling(code, error.message()) {
        "; behind a proxy that pools transactions, the store needs its setting `transaction_pooling`"
    } else {
        ""
    };
    format!("{}{more} (SQLSTATE {code}){advice}", error.message())
}

/// Whether an error is what a proxy that pools transactions says, or leads to, when it is not taken into account.
fn is_of_pooling(code: &str, message: &str) -> bool {
    match code {
        "26000" | "42P05" => true,
        "08P01" => {
            message.contains("unsupported startup parameter")
                || message.contains("prepared statement")
        }
        _ => false,
    }
}

/// The error of a statement that failed while `doing` something, and left nothing behind.
pub(crate) fn store_error(doing: &str, error: sqlx::Error) -> StoreError {
    match Fault::of(&error) {
        Fault::Unfit => StoreError::invalid(format!("{doing}: {}", cause(error))),
        Fault::Taken | Fault::Corrupt | Fault::Missing => {
            StoreError::corrupt(format!("{doing}: {}", cause(error)))
        }
        _ => StoreError::unavailable(doing, cause(error)),
    }
}

/// The error of a statement that would have committed, while `doing` something.
///
/// What the server reports as an error was rolled back. When the connection broke, or the server had its last word, it
/// may have come after the commit: a server whose disk is full panics while it writes the commit.
pub(crate) fn commit_error(doing: &str, error: sqlx::Error) -> StoreError {
    let unknown = match &error {
        sqlx::Error::Database(_) => is_last_word(&error) || Fault::of(&error) == Fault::Lost,
        // it was not sent
        sqlx::Error::Encode(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => false,
        _ => true,
    };
    if unknown {
        StoreError::outcome_unknown(doing, cause(error))
    } else {
        store_error(doing, error)
    }
}

#[cfg(test)]
mod tests;
