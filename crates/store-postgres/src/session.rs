use crate::row::Row;
use futures_util::{TryFutureExt, TryStreamExt};
use sqlx::{
    Connection, PgConnection, Postgres, SqlSafeStr,
    pool::PoolConnection,
    postgres::{PgArguments, PgTransactionManager},
};
use sqlx_core::transaction::TransactionManager;
use std::{
    future::Future,
    io::{self, ErrorKind},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// A statement with its arguments.
pub(crate) type Statement<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// A connection, and whether it can be used for something else.
///
/// It cannot while a statement runs or a transaction is open. A future that is dropped then leaves it so, and the one
/// that owns the session drops it: the server rolls back what was not committed when it notices.
#[derive(Debug)]
pub(crate) struct Session {
    /// None only while it is being closed.
    connection: Option<Held>,
    /// How long an answer may take.
    patience: Duration,
    /// Whether statements are prepared once and kept; otherwise each is parsed again, inside its transaction.
    prepares: bool,
    /// Whether it is closed in the end even if it is a pool's.
    closes: bool,
    running: bool,
    in_transaction: bool,
    used_at: Instant,
}

/// Why there is a connection.
const OPEN: &str = "a connection is there until it is closed";

/// Whose connection it is.
#[derive(Debug)]
pub(crate) enum Held {
    /// The store's own.
    Own(Box<PgConnection>),
    /// Of a pool that the caller has brought.
    Pooled(PoolConnection<Postgres>),
}

impl Held {
    fn get(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl Session {
    pub(crate) fn new(connection: Held, patience: Duration, prepares: bool) -> Self {
        let used_at = Instant::now();
        Self {
            connection: Some(connection),
            patience,
            prepares,
            closes: false,
            running: false,
            in_transaction: false,
            used_at,
        }
    }

    /// Whether nothing is half done.
    pub(crate) fn is_idle(&self) -> bool {
        !self.running && !self.in_transaction
    }

    /// Whether a transaction of several statements is open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Whether the connection still takes statements.
    pub(crate) fn is_usable(&self) -> bool {
        !self.running
    }

    /// Waits for answers as long as this from now on.
    pub(crate) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// For how long no one has used it.
    pub(crate) fn unused_for(&self) -> Duration {
        self.used_at.elapsed()
    }

    /// Whether it belongs to a pool, to which it goes back after each use.
    pub(crate) fn is_pooled(&self) -> bool {
        matches!(self.connection, Some(Held::Pooled(_)))
    }

    /// Whether it goes back to a pool as it came, so that nothing can be set on it beyond a transaction.
    pub(crate) fn goes_back(&self) -> bool {
        self.is_pooled() && !self.closes
    }

    /// Closes the connection when it is dropped, even if it is a pool's.
    pub(crate) fn close_on_drop(&mut self) {
        self.closes = true;
        if let Some(Held::Pooled(connection)) = &mut self.connection {
            connection.close_on_drop();
        }
    }

    /// Whether the server still answers.
    pub(crate) async fn is_alive(&mut self) -> bool {
        self.watch(async |connection| connection.ping().await).await.is_ok()
    }

    /// Runs a statement and collects its rows.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, sqlx::Error> {
        let statement = statement.persistent(self.prepares);
        let rows = self.watch(async |connection| statement.fetch_all(connection).await).await?;
        Ok(rows.into_iter().map(Row).collect())
    }

    /// Runs a statement and hands each of its rows to `take` as it comes.
    pub(crate) async fn each_row(
        &mut self,
        statement: Statement<'_>,
        mut take: impl FnMut(Row) + Send,
    ) -> Result<(), sqlx::Error> {
        let statement = statement.persistent(self.prepares);
        let run = async |connection: &mut PgConnection| {
            let mut rows = statement.fetch(connection);
            while let Some(row) = rows.try_next().await? {
                take(Row(row));
            }
            Ok(())
        };
        self.watch(run).await
    }

    /// Runs statements without arguments, one after the other in one round trip.
    pub(crate) async fn batch(&mut self, text: crate::texts::Text) -> Result<(), sqlx::Error> {
        self.watch(async |connection| sqlx::raw_sql(text).execute(connection).await.map(drop)).await
    }

    /// As [`batch`](Self::batch), with a text that begins a transaction.
    pub(crate) async fn begin(&mut self, text: crate::texts::Text) -> Result<(), sqlx::Error> {
        self.in_transaction = true;
        self.batch(text).await
    }

    /// Commits. When the server refuses that, it has rolled back.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    /// Rolls back. When that fails the session stays as it is and is to be dropped.
    pub(crate) async fn rollback(&mut self) {
        if let Err(error) = self.end("ROLLBACK").await {
            tracing::debug!(%error, "a transaction did not roll back");
        }
    }

    /// As [`begin`](Self::begin), so that sqlx knows of it: a transaction that is begun inside becomes a savepoint.
    pub(crate) async fn begin_for_others(
        &mut self,
        text: crate::texts::Text,
    ) -> Result<(), sqlx::Error> {
        self.in_transaction = true;
        let text = text.into_sql_str();
        let begin =
            async |connection: &mut _| PgTransactionManager::begin(connection, Some(text)).await;
        self.watch(begin).await
    }

    /// What others write through, in the transaction that was begun for them.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(OPEN).get()
    }

    /// Whether sqlx knows of the transaction that was begun for others, and of none inside.
    pub(crate) fn is_in_outermost(&mut self) -> bool {
        PgTransactionManager::get_transaction_depth(self.connection()) == 1
    }

    /// Commits what was begun for others. When the server refuses that, it has rolled back, and the session is to be
    /// dropped.
    pub(crate) async fn commit_for_others(&mut self) -> Result<(), sqlx::Error> {
        let commit = async |connection: &mut _| PgTransactionManager::commit(connection).await;
        self.watch(commit).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Rolls back what was begun for others, within `patience`. When that fails the session is to be dropped.
    ///
    /// Statements that were prepared are forgotten: one that fails because a table has changed fails for ever.
    pub(crate) async fn rollback_for_others(
        &mut self,
        patience: Duration,
    ) -> Result<(), sqlx::Error> {
        let roll_back = async |connection: &mut PgConnection| {
            let roll_back = async {
                PgTransactionManager::rollback(connection).await?;
                connection.clear_cached_statements().await
            };
            answer_within(patience, roll_back).await
        };
        self.watch(roll_back).await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn end(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        let end = async |connection: &mut PgConnection| {
            sqlx::raw_sql(text).execute(connection).map_ok(drop).await
        };
        let done = self.watch(end).await;
        // a commit that the server refuses ends its transaction too
        self.in_transaction &= !self.is_usable();
        done
    }

    /// Says goodbye and closes the connection, also one of a pool.
    pub(crate) async fn close(mut self) -> Result<(), sqlx::Error> {
        let held = self.connection.take();
        let closing = async {
            match held {
                Some(Held::Own(connection)) => connection.close().await,
                Some(Held::Pooled(connection)) => connection.close().await,
                None => Ok(()),
            }
        };
        answer_within(self.patience, closing).await
    }

    /// Waits for an answer as long as is allowed, and keeps track of whether the connection can go on.
    async fn watch<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.running = true;
        let held = self.connection.as_mut().expect(OPEN);
        let done = answer_within(self.patience, work(held.get())).await;
        self.used_at = Instant::now();
        self.running = !still_usable(&done);
        done
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_idle() {
            self.close_on_drop();
        }
    }
}

async fn answer_within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| {
        let what = format!("the server has not answered within {patience:?}");
        sqlx::Error::Io(io::Error::new(ErrorKind::TimedOut, what))
    };
    timeout(patience, work).await.map_err(late).flatten()
}

/// After an error that the server reports the connection can go on, unless it was the server's last word; after one of
/// sqlx or of the network that is not sure.
fn still_usable<T>(done: &Result<T, sqlx::Error>) -> bool {
    match done {
        Ok(_) => true,
        Err(error) => !crate::fault::Fault::of(error).ends_connection(),
    }
}
