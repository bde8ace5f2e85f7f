use super::commit_gate::CommitGate;
use crate::{
    connection::{Connector, PAGE_BYTES, Role},
    row::column,
    session::Session,
};
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;

/// What a transaction writes for each row that it changes, roughly: a page of the table and one of an index.
pub(super) const ROW_BYTES: u64 = 2 * PAGE_BYTES;

/// How many rows were changed through a connection, how large the file is, and what a handler can leave there.
const TRACES: &str = "SELECT total_changes(),
        (SELECT page_count FROM pragma_page_count),
        (SELECT count(*) FROM sqlite_temp_schema),
        (SELECT count(*) FROM pragma_database_list WHERE seq > 1),
        (SELECT foreign_keys FROM pragma_foreign_keys),
        (SELECT query_only FROM pragma_query_only),
        (SELECT recursive_triggers FROM pragma_recursive_triggers),
        (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints),
        (SELECT reverse_unordered_selects FROM pragma_reverse_unordered_selects)";

/// A connection that handlers write through.
#[derive(Debug)]
pub(super) struct TargetSession {
    session: Session,
    gate: Arc<CommitGate>,
    /// How many rows were changed through it so far.
    changes: i64,
    /// How many pages the file had when the transaction began.
    pages: i64,
    /// Temporary tables, attached databases and settings, as they are on a new connection.
    traces: [i64; 7],
}

/// What a handler has done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    /// What the write-ahead log grows by, roughly.
    pub(super) bytes: u64,
    /// Something else of it than rows stays on the connection.
    pub(super) is_spoilt: bool,
}

/// What can be seen of a connection.
struct Sight {
    changes: i64,
    pages: i64,
    traces: [i64; 7],
}

impl TargetSession {
    /// Opens one.
    pub(super) async fn open(connector: &Connector, role: Role) -> Result<Self, sqlx::Error> {
        let mut session = connector.session(role).await?;
        let connection = session.connection();
        // sqlx counts from here: what a handler begins is inside of a transaction, and so a savepoint
        std::mem::forget(connection.begin().await?);
        sqlx::query("ROLLBACK").execute(&mut *connection).await?;
        let gate = CommitGate::of(connection).await?;
        let mut session = Self { session, gate, changes: 0, pages: 0, traces: [0; 7] };
        let found = session.look().await?;
        (session.changes, session.traces) = (found.changes, found.traces);
        Ok(session)
    }

    /// What handlers write through.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        self.session.connection()
    }

    /// For statements of the target.
    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Whether nothing is half done.
    pub(super) fn is_idle(&self) -> bool {
        self.session.is_idle()
    }

    /// Whether the transaction was rolled back since it began.
    pub(super) fn has_ended(&self) -> bool {
        self.gate.has_ended()
    }

    /// Begins a transaction with the lock on the file.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.gate.reset();
        let statement = "BEGIN IMMEDIATE; SELECT page_count FROM pragma_page_count";
        let rows = self.session.begin(sqlx::query(statement)).await?;
        self.pages = column(rows.first().ok_or(sqlx::Error::RowNotFound)?, 0)?;
        Ok(())
    }

    /// Commits.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.gate.set_open(true);
        let done = self.session.commit().await;
        self.gate.set_open(false);
        done
    }

    /// Interrupts what is still running, and rolls back.
    pub(super) async fn rollback(&mut self) {
        self.gate.set_abandoned(true);
        self.session.rollback().await;
        self.gate.set_abandoned(false);
    }

    /// Interrupts what is still running, on a connection that is to be closed.
    pub(super) fn abandon(&self) {
        self.gate.set_abandoned(true);
    }

    /// Waits until all that a handler has asked for is done, and says what it was.
    pub(super) async fn settle(&mut self) -> Result<Settled, sqlx::Error> {
        let found = self.look().await?;
        let rows = found.changes - std::mem::replace(&mut self.changes, found.changes);
        let pages = found.pages - self.pages;
        let [rows, pages] = [rows, pages].map(|count| count.max(0).cast_unsigned());
        let bytes = rows * ROW_BYTES + pages * PAGE_BYTES;
        Ok(Settled { bytes, is_spoilt: found.traces != self.traces })
    }

    /// Closes the connection and waits until it is.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.session.close().await
    }

    async fn look(&mut self) -> Result<Sight, sqlx::Error> {
        let rows = self.session.rows(sqlx::query(TRACES)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let mut traces = [0; 7];
        for (nr, trace) in traces.iter_mut().enumerate() {
            *trace = column(row, nr + 2)?;
        }
        Ok(Sight { changes: column(row, 0)?, pages: column(row, 1)?, traces })
    }
}
