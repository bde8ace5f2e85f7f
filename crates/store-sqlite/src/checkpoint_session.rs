use crate::{
    connection::{Connector, Role},
    row::column,
    session::Session,
};
use actum_persistence::panics::log_safely;
use tokio::sync::Mutex;

/// The connection that copies the write-ahead log into the file.
///
/// It is opened with the store and closed with it. So a connection of this process is always open, and no one deletes
/// the log in between.
#[derive(Debug)]
pub(crate) struct CheckpointSession {
    connector: Connector,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// None after one was thrown away; the next checkpoint opens another.
    session: Option<Session>,
    closed: bool,
}

/// How thorough a checkpoint is; see <https://www.sqlite.org/pragma.html#pragma_wal_checkpoint>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Copies nothing, only says what the log holds.
    Noop,
    /// Copies what can be copied beside writers and readers.
    Passive,
    /// Copies everything. No one may write meanwhile.
    Full,
    /// As `Full`, and lets the log start over.
    Restart,
    /// As `Restart`, and gives the room of the log back to the volume.
    Truncate,
}

/// What the write-ahead log holds, in pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(crate) pages: u64,
    pub(crate) copied: u64,
    /// Another connection reads what must be kept, or writes.
    pub(crate) busy: bool,
}

impl CheckpointSession {
    pub(crate) fn new(connector: Connector, first: Session) -> Self {
        let state = Mutex::new(State { session: Some(first), closed: false });
        Self { connector, state }
    }

    /// Copies the log, and says what it holds then.
    pub(crate) async fn run(&self, mode: Mode) -> Result<Log, sqlx::Error> {
        let mut state = self.state.lock().await;
        if state.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        let session = match state.session.take().filter(Session::is_idle) {
            Some(session) => session,
            None => self.connector.session(Role::Checkpointer).await?,
        };
        let pragma = match mode {
            Mode::Noop => "PRAGMA wal_checkpoint(NOOP)",
            Mode::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Mode::Full => "PRAGMA wal_checkpoint(FULL)",
            Mode::Restart => "PRAGMA wal_checkpoint(RESTART)",
            Mode::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let rows = state.session.insert(session).rows(sqlx::query(pragma)).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        // -1 where there is no write-ahead log
        let pages =
            |index| Ok::<u64, sqlx::Error>(column::<i64>(row, index)?.max(0).cast_unsigned());
        Ok(Log { busy: column::<i64>(row, 0)? != 0, pages: pages(1)?, copied: pages(2)? })
    }

    /// Waits for what is under way, and closes the connection for good.
    pub(crate) async fn close(&self) {
        let mut state = self.state.lock().await;
        state.closed = true;
        if let Some(session) = state.session.take()
            && let Err(error) = session.close().await
        {
            log_safely(
                || tracing::warn!(%error, "the connection that checkpoints did not close cleanly"),
            );
        }
    }
}
