use crate::{
    connection::Connector,
    fault::{Fault, commit_error, store_error},
    row::Row,
    session::{Session, Statement},
};
use actum_persistence::{
    members::JoinError,
    store::{ClaimError, StoreError},
};
use std::future::Future;

/// How often a call is made again because another transaction crossed it.
const CROSSINGS_MAX: usize = 3;

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) fault: Fault,
    pub(crate) error: StoreError,
    /// Whether the token that a write had to show is out of date: its writer must look again at what it owns.
    pub(crate) is_outdated: bool,
}

impl Failed {
    /// What the failure of a statement that did not commit means.
    pub(crate) fn of(doing: &str, error: sqlx::Error) -> Self {
        Self { fault: Fault::of(&error), ..store_error(doing, error).into() }
    }

    /// Whether the same again may do, after this many `crossings`; counts this one.
    fn may_go_again(&self, crossings: &mut usize) -> bool {
        let goes = self.fault == Fault::Crossed && *crossings < CROSSINGS_MAX;
        *crossings += 1;
        goes
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self { fault: Fault::Other, error, is_outdated: false }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl From<Failed> for ClaimError {
    fn from(failed: Failed) -> Self {
        failed.error.into()
    }
}

impl From<Failed> for JoinError {
    fn from(failed: Failed) -> Self {
        failed.error.into()
    }
}

/// A transaction of several statements.
///
/// [`finish`](Self::finish) ends it. When it is dropped before, its connection is closed, and the server rolls back.
pub(crate) struct Transaction<'a> {
    session: &'a mut Session,
    doing: &'static str,
}

impl<'a> Transaction<'a> {
    /// The one that was begun on `session`.
    pub(crate) fn of(session: &'a mut Session, doing: &'static str) -> Self {
        Self { session, doing }
    }

    /// Begins one.
    pub(crate) async fn begin(
        session: &'a mut Session,
        connector: &Connector,
        doing: &'static str,
    ) -> Result<Self, Failed> {
        session.begin(connector.begin()).await.map_err(|error| Failed::of(doing, error))?;
        Ok(Self::of(session, doing))
    }

    /// Where calls of it run, see [`call`].
    pub(crate) fn session(&mut self) -> &mut Session {
        self.session
    }

    /// Runs a statement.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let rows = self.session.rows(statement).await;
        rows.map_err(|error| self.failed(error))
    }

    /// As [`rows`](Self::rows), for an error that means something special.
    pub(crate) async fn try_rows(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<Row>, sqlx::Error> {
        self.session.rows(statement).await
    }

    /// Runs a statement without arguments.
    pub(crate) async fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        let done = self.session.batch(sqlx::AssertSqlSafe(text.into())).await;
        done.map_err(|error| self.failed(error))
    }

    /// What the failure of a statement means.
    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        store_error(self.doing, error)
    }

    /// Commits if all went well, rolls back otherwise.
    pub(crate) async fn finish<T, E: From<Failed>>(self, result: Result<T, E>) -> Result<T, E> {
        match result {
            Ok(done) => match self.session.commit().await {
                Ok(()) => Ok(done),
                Err(error) => Err(not_committed(self.doing, error).into()),
            },
            failed => {
                if self.session.is_usable() {
                    self.session.rollback().await;
                }
                failed
            }
        }
    }
}

/// Several statements that are stored together or not at all.
pub(crate) trait Statements: Send {
    /// What they say once they are committed.
    type Done: Send;

    /// Runs them in the transaction that `session` is in.
    fn run(
        &mut self,
        session: &mut Session,
    ) -> impl Future<Output = Result<Self::Done, Failed>> + Send;
}

/// Runs statements as one transaction; again when another transaction crossed it.
pub(crate) async fn run<S: Statements>(
    session: &mut Session,
    connector: &Connector,
    doing: &'static str,
    mut statements: S,
) -> Result<S::Done, Failed> {
    let mut crossings = 0;
    loop {
        let mut tx = Transaction::begin(session, connector, doing).await?;
        let done = statements.run(tx.session()).await;
        match tx.finish(done).await {
            Err(failed) if failed.may_go_again(&mut crossings) => {}
            done => return done,
        }
    }
}

/// Runs one statement that commits what it does; again when another transaction crossed it. In a transaction of several
/// statements it commits with them.
pub(crate) async fn call<'q>(
    session: &mut Session,
    connector: &Connector,
    doing: &'static str,
    statement: impl Fn() -> Statement<'q>,
) -> Result<Vec<Row>, Failed> {
    if session.is_in_transaction() {
        return rows(session, doing, statement()).await;
    }
    let mut crossings = 0;
    loop {
        // a transaction carries the settings that the connection has not
        let done = if connector.settings.transaction_pooling || session.goes_back() {
            call_in_transaction(session, connector, doing, statement()).await
        } else {
            let done = session.rows(statement()).await;
            done.map_err(|error| not_committed(doing, error))
        };
        match done {
            Err(failed) if failed.may_go_again(&mut crossings) => {}
            done => return done,
        }
    }
}

/// As [`call`], durable whatever the database is set to: always as a transaction.
pub(crate) async fn call_durably<'q>(
    session: &mut Session,
    connector: &Connector,
    doing: &'static str,
    statement: impl Fn() -> Statement<'q>,
) -> Result<Vec<Row>, Failed> {
    let mut crossings = 0;
    loop {
        match call_in_transaction(session, connector, doing, statement()).await {
            Err(failed) if failed.may_go_again(&mut crossings) => {}
            done => return done,
        }
    }
}

async fn call_in_transaction(
    session: &mut Session,
    connector: &Connector,
    doing: &'static str,
    statement: Statement<'_>,
) -> Result<Vec<Row>, Failed> {
    let mut tx = Transaction::begin(session, connector, doing).await?;
    let done = rows(tx.session(), doing, statement).await;
    tx.finish(done).await
}

async fn rows(
    session: &mut Session,
    doing: &str,
    statement: Statement<'_>,
) -> Result<Vec<Row>, Failed> {
    session.rows(statement).await.map_err(|error| Failed::of(doing, error))
}

/// The failure of what would have committed.
fn not_committed(doing: &str, error: sqlx::Error) -> Failed {
    Failed { fault: Fault::of(&error), ..commit_error(doing, error).into() }
}
