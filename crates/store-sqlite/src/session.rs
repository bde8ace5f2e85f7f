use crate::{fault::Fault, located::located, row::Row};
use futures_util::TryStreamExt;
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{Sqlite, SqliteArguments},
};
use std::{path::Path, sync::Arc};

/// A statement with its arguments.
pub(crate) type Statement<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// A connection, and whether it can be used for something else.
///
/// It cannot while a statement runs or a transaction is open. A future that is dropped then leaves it so, and the one
/// that owns the session closes it: SQLite rolls back, on the connection's own thread, what was not committed.
#[derive(Debug)]
pub(crate) struct Session {
    connection: SqliteConnection,
    path: Arc<Path>,
    running: bool,
    in_transaction: bool,
    found_full: bool,
}

impl Session {
    /// A session on the database file at `path`.
    pub(crate) fn new(connection: SqliteConnection, path: Arc<Path>) -> Self {
        Self { connection, path, running: false, in_transaction: false, found_full: false }
    }

    /// The connection itself, for what this knows nothing of.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Whether a statement has found the disk full since this was asked last.
    pub(crate) fn take_found_full(&mut self) -> bool {
        std::mem::take(&mut self.found_full)
    }

    /// Whether nothing is half done.
    pub(crate) fn is_idle(&self) -> bool {
        !self.running && !self.in_transaction
    }

    /// Runs a statement that returns no rows.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<(), sqlx::Error> {
        self.change(statement).await.map(drop)
    }

    /// Runs a statement that changes rows, and says how many.
    pub(crate) async fn change(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        self.running = true;
        let done = statement.execute(&mut self.connection).await;
        self.ended(done).map(|done| done.rows_affected())
    }

    /// Runs a statement and collects its rows.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, sqlx::Error> {
        self.running = true;
        let rows = statement.fetch_all(&mut self.connection).await;
        Ok(self.ended(rows)?.into_iter().map(Row).collect())
    }

    /// Runs a statement and hands its rows to `take` until that wants no more.
    pub(crate) async fn rows_while(
        &mut self,
        statement: Statement<'_>,
        mut take: impl FnMut(&Row) -> bool + Send,
    ) -> Result<(), sqlx::Error> {
        self.running = true;
        let mut rows = statement.fetch(&mut self.connection).map_ok(Row);
        let done = loop {
            match rows.try_next().await {
                Ok(row) if row.as_ref().is_some_and(&mut take) => {}
                Ok(_) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(rows); // the statement ends when no one takes its rows
        self.ended(done)
    }

    /// A statement has ended: its error names the file it is about.
    fn ended<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.running = !still_usable(&done);
        done.map_err(|error| {
            self.found_full |= Fault::of(&error) == Fault::Full;
            located(error, &self.path)
        })
    }

    /// Runs a statement that begins a transaction, and collects the rows of what follows in it.
    pub(crate) async fn begin(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        self.in_transaction = true;
        self.rows(statement).await
    }

    /// Commits.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.execute(sqlx::query("COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Rolls back, also when it is not sure that a transaction is open: SQLite ends it by itself after some errors.
    /// When that fails, the session stays as it is and is to be closed.
    pub(crate) async fn rollback(&mut self) {
        match self.execute(sqlx::query("ROLLBACK")).await {
            Ok(()) => self.in_transaction = false,
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction") => {
                self.in_transaction = false;
            }
            Err(error) => tracing::debug!(%error, "a transaction did not roll back"),
        }
    }

    /// Closes the connection and waits until it is.
    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

/// After an error of SQLite the connection can go on; after one of sqlx (its thread is gone, a row that does not
/// decode) that is not sure.
fn still_usable<T>(done: &Result<T, sqlx::Error>) -> bool {
    matches!(done, Ok(_) | Err(sqlx::Error::Database(_)))
}
