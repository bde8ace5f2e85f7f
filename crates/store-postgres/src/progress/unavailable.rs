use crate::fault::Fault;
use actum_persistence::store::StoreError;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};
use std::{
    error::Error,
    io::{self, ErrorKind},
};

/// More causes of an error are not looked at.
const CAUSES_MAX: usize = 100;

/// Whether an error, or what has caused it, says that the database cannot be reached, refuses at the moment, or has not what the
/// statement names: a table that is not there is missing for every event, until it is created.
pub(super) fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    for _ in 0..CAUSES_MAX {
        match cause {
            Some(error) if says_later(error) => return true,
            Some(error) => cause = error.source(),
            None => return false,
        }
    }
    false
}

fn says_later(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref() {
        sqlx_says_later(error)
    } else if let Some(error) = error.downcast_ref::<Box<dyn DatabaseError>>() {
        // below an error that shows itself as the one from sqlx
        server_says_later(&**error)
    } else if let Some(error) = error.downcast_ref() {
        matches!(error, StoreError::Unavailable { .. } | StoreError::OutcomeUnknown { .. })
    } else {
        error.downcast_ref().is_some_and(connection_says_later)
    }
}

fn sqlx_says_later(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(inside) => server_says_later(&**inside),
        // mistakes in the code of the handler
        sqlx::Error::InvalidArgument(_)
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::AnyDriverError(_)
        | sqlx::Error::InvalidSavePointStatement => false,
        error => fault_says_later(Fault::of(error)),
    }
}

fn server_says_later(error: &dyn DatabaseError) -> bool {
    // a statement that takes too long may do so each time: it is not known whether that is the event's
    let is_cancelled = error.code().is_some_and(|code| code == "57014");
    let error = error.try_downcast_ref::<PgDatabaseError>();
    !is_cancelled
        && error.is_some_and(|error| match Fault::of_server(error) {
            Fault::Rights => is_of_grants(error),
            Fault::Stale => is_of_plan(error),
            Fault::Missing => is_of_table(error),
            fault => fault_says_later(fault),
        })
}

/// Whether a table is missing, or a column or a schema, as before a migration. A function, an operator or a type that is not
/// there is the handler's mistake as a rule, also in a branch that few events reach: waiting would not mend it.
fn is_of_table(error: &PgDatabaseError) -> bool {
    !matches!(error.code(), "42704" | "42883")
}

/// Whether a statement was planned for a table that has changed since. A transaction that is rolled back forgets its plans, so each
/// connection says so once.
fn is_of_plan(error: &PgDatabaseError) -> bool {
    error.routine() == Some("RevalidateCachedQuery")
}

/// Whether the user may not use what a statement names, whatever the row: a policy for rows, and a function, refuse with the same
/// code. The routine is the same in every language.
fn is_of_grants(error: &PgDatabaseError) -> bool {
    error.routine().is_some_and(|routine| routine.starts_with("aclcheck_error"))
}

fn fault_says_later(fault: Fault) -> bool {
    match fault {
        Fault::Lost
        | Fault::Away
        | Fault::Refused
        | Fault::Crossed
        | Fault::Slow
        | Fault::Full
        | Fault::ReadOnly
        | Fault::Login
        | Fault::NoDatabase
        | Fault::Missing
        | Fault::Tls => true,
        Fault::Aborted
        | Fault::Stale
        | Fault::Taken
        | Fault::Unfit
        | Fault::Rights
        | Fault::Corrupt
        | Fault::Other => false,
    }
}

/// Not those of files.
fn connection_says_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
    )
}
