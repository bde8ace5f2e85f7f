use super::commit_gate::CommitGate;
use crate::{
    connection::{Connector, Role},
    row::{Row, column},
    session::Session,
};
use sqlx::{Connection, SqliteConnection};
use std::sync::Arc;

/// What a handler can leave on a connection, and how many rows were changed through it.
const TRACES: &str = "SELECT total_changes(),
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
    changes: i64,
    /// Temporary tables, attached databases and settings, as they are on a new connection.
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
        let mut session = Self { session, gate, changes: 0, traces: [0; 7] };
        (session.changes, session.traces) = session.look().await?;
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
        self.session.begin(sqlx::query("BEGIN IMMEDIATE")).await.map(drop)
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

    /// Waits until all that a handler has asked for is done, and says how many rows were changed since this was asked last,
    /// and whether something else of the handler's stays on the connection.
    pub(super) async fn settle(&mut self) -> Result<(u64, bool), sqlx::Error> {
        let (changes, traces) = self.look().await?;
        let changed = changes - std::mem::replace(&mut self.changes, changes);
        Ok((changed.max(0).cast_unsigned(), traces != self.traces))
    }

    /// Closes the connection and waits until it is.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        self.session.close().await
    }

    async fn look(&mut self) -> Result<(i64, [i64; 7]), sqlx::Error> {
        let rows = self.session.rows(sqlx::query(TRACES)).await?;
        let row: &Row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let mut traces = [0; 7];
        for (nr, trace) in traces.iter_mut().enumerate() {
            *trace = column(row, nr + 1)?;
        }
        Ok((column(row, 0)?, traces))
    }
}
