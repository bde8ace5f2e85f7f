use crate::{
    SqliteSettings, Synchronous, fault::Fault, located::located, obstacle::Obstacle,
    session::Session,
};
use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteLockingMode, SqliteSynchronous},
};
use std::{path::Path, sync::Arc, time::Duration};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The first one, which may create the file.
    Creator,
    /// The only one that writes.
    Writer,
    /// One of those that read.
    Reader,
    /// Copies the write-ahead log into the file.
    Checkpointer,
    /// Does the same, and keeps everybody else from the file.
    Alone,
    /// Keeps the progress of projections in a file of its own, which it may create.
    TargetCreator,
    /// Keeps the progress of projections in a file of its own, and what they write.
    Target,
    /// Does the same in the file of a journal.
    JournalTarget,
}

/// How long a checkpoint waits for readers that hold it up before it leaves the rest for the next one. Writing pauses
/// meanwhile.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(100);

/// Rows that wait between the thread of a connection and the task that reads them.
const ROW_BUFFER: usize = 256;

/// SQLite's page size; what it is by default, and what the bounds in bytes are counted by.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Opens the connections of a store, all to the same file.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) path: Arc<Path>,
    pub(crate) settings: SqliteSettings,
}

impl Connector {
    /// Opens a connection for `role`.
    pub(crate) async fn connect(&self, role: Role) -> Result<SqliteConnection, sqlx::Error> {
        let options = self.common();
        let options = match role {
            Role::Creator => self.writing(options).create_if_missing(true),
            Role::Writer => self.writing(options),
            Role::Reader => reading(options, self.settings.reader_cache_bytes),
            Role::Checkpointer => options.busy_timeout(CHECKPOINT_PATIENCE),
            Role::Alone => options.locking_mode(SqliteLockingMode::Exclusive),
            Role::TargetCreator => options.create_if_missing(true),
            Role::Target => self.handling(options),
            Role::JournalTarget => self.handling(self.logging(options)),
        };
        // synchronous is last, so that a role above cannot forget it
        self.durable(options).connect().await
    }

    /// Opens a connection for `role` to a journal that was opened before; what is in the way is named.
    pub(crate) async fn session(&self, role: Role) -> Result<Session, sqlx::Error> {
        match self.connect(role).await {
            Ok(connection) => Ok(Session::new(connection, Arc::clone(&self.path))),
            Err(error) => Err(self.explained(error)),
        }
    }

    /// An error with what is in the way, or with the file that it is about.
    pub(crate) fn explained(&self, error: sqlx::Error) -> sqlx::Error {
        match Fault::of(&error) {
            Fault::ReadOnly | Fault::CannotOpen => match Obstacle::find(&self.path) {
                Some(obstacle) => sqlx::Error::Io(obstacle.into_io()),
                None => located(error, &self.path),
            },
            _ => located(error, &self.path),
        }
    }

    fn common(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.settings.busy_timeout)
            .foreign_keys(false) // there are none
            .row_buffer_size(ROW_BUFFER)
            .disable_statement_logging()
    }

    fn writing(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        self.logging(options).pragma("cache_size", cache_size(self.settings.writer_cache_bytes))
    }

    /// For those who write what they like to, in tables of their own.
    fn handling(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        let cache_size = cache_size(self.settings.reader_cache_bytes);
        options.foreign_keys(true).pragma("cache_size", cache_size)
    }

    /// For those who write into the log of a journal.
    fn logging(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        let options = options
            .pragma("wal_autocheckpoint", "0") // checkpoint.rs does it, beside the writer
            .pragma("journal_size_limit", self.settings.wal_bytes_max.to_string());
        match self.settings.file_bytes_max {
            Some(bytes) => options.pragma("max_page_count", (bytes / PAGE_BYTES).to_string()),
            None => options,
        }
    }

    // checkpoints sync as well: the log must be on disk before the file is, and the file before the log is reused
    fn durable(&self, options: SqliteConnectOptions) -> SqliteConnectOptions {
        match self.settings.synchronous {
            Synchronous::Full => options
                .synchronous(SqliteSynchronous::Full)
                .pragma("fullfsync", "1") // means something on macOS only
                .pragma("checkpoint_fullfsync", "1"),
            Synchronous::Normal => options.synchronous(SqliteSynchronous::Normal),
        }
    }
}

fn reading(options: SqliteConnectOptions, cache_bytes: u64) -> SqliteConnectOptions {
    options.pragma("cache_size", cache_size(cache_bytes)).pragma("query_only", "1")
}

/// Negative: SQLite then counts in KiB instead of pages.
fn cache_size(bytes: u64) -> String {
    format!("-{}", bytes / 1024)
}
