use super::{
    change, open, target_file::TargetFile, target_settings::SqliteTargetSettings,
    target_tx::SqliteTx,
};
use crate::{connection::Connector, fault, readers::Readers, writer::Writer};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressPlace, ProgressStore, SaveError},
    store::StoreError,
};
use sqlx::SqliteConnection;
use std::{error::Error, fmt, path::Path, sync::Arc, time::Duration};

/// A SQLite file that holds what projections write and, in the same transactions, how far they have come.
///
/// It is the file of a journal ([`of`](Self::of)), one of its own, or one in which the user has tables
/// ([`open`](Self::open)). Its own tables begin with `actum_`. One connection writes, a few others read; the write-ahead log
/// is turned on for the file, and `PRAGMA foreign_keys` for handlers. Clones share everything.
///
/// # Transactions
/// SQLite has one writer at a time, so a transaction has the whole file for itself from its begin to its end: others, also
/// those that save progress, wait, within this process in the order in which they came. `open_max` has no effect: SQLite
/// cannot end the transaction of another process. One that is stopped (`SIGSTOP`, a debugger) in the middle of a transaction
/// keeps others from writing to the file until it goes on or ends; reading goes on, nothing is lost, and when it goes on
/// what it commits is whole. Where that must not stop the commands of a journal, give projections a file of their own.
///
/// A handler that takes long is such a transaction: until its time-out the commands of a journal in the same file wait, and so
/// do the progress and the acknowledgements of all projections and subscriptions there; reading goes on. From a second on a
/// warning says how long it was. Its lease, and those of the others in its process, do not lapse meanwhile, and handlers
/// wait for each other: what waits to write has one of them in front of it at most. Processes beside it lose leases that they
/// cannot renew, and begin again with what they were at, when it has ended; they take none of its segments.
///
/// Nothing is confirmed before the target has seen that the path still names the file it has open; once that was removed or
/// replaced every call ends in [`StoreError::Lost`].
///
/// What a handler writes is kept with the progress or not at all, whatever it runs: `COMMIT` fails and rolls back, and so
/// does every statement that writes after SQLite or the handler has rolled back. A transaction that a handler begins with
/// sqlx is a savepoint. A connection on which a handler has left something else than rows, a temporary table, an attached
/// database or a setting, is closed. Handlers must leave the hooks of the connection for commits, rollbacks and progress as
/// they are.
///
/// # Examples
/// ```
/// # use actum_persistence::progress::ExactTarget;
/// # use actum_store_sqlite::SqliteTarget;
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let target = SqliteTarget::open(directory.join("balances.db")).await?;
/// let mut tx = target.begin(Duration::from_secs(30)).await?;
/// let connection = SqliteTarget::connection(&mut tx);
/// sqlx::query("CREATE TABLE balances (account TEXT PRIMARY KEY, cents INTEGER)").execute(connection).await?;
/// target.rollback(tx).await;
/// # target.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteTarget {
    file: Arc<TargetFile>,
}

impl SqliteTarget {
    /// Opens the file at `path`, and creates it if there is none; with the default settings.
    ///
    /// For the file of a journal that is open in this process use [`of`](Self::of): opened by its path the two get in each
    /// other's way as two processes do. Those wait for each other by asking again and again, in no order: where one writes
    /// without a pause the other one waits for long, for seconds at worst, and may be refused as unavailable after
    /// `busy_timeout`.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    ///
    /// # Cancel safety
    /// Dropping the future releases the file. What it has created there by then can be opened.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &SqliteTargetSettings::default()).await
    }

    /// As [`open`](Self::open), with `settings`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when the settings or the path are not valid, or a newer version of Actum has written the
    /// progress; [`StoreError::Corrupt`] when the file is not a database; [`StoreError::Unavailable`] when it cannot be
    /// opened or written.
    ///
    /// # Cancel safety
    /// As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        settings: &SqliteTargetSettings,
    ) -> Result<Self, StoreError> {
        Ok(Self { file: Arc::new(open::open(path.as_ref(), settings).await?) })
    }

    /// The target in the file of a journal.
    pub(crate) fn of_journal(
        connector: Connector,
        writer: Arc<Writer>,
        readers: Arc<Readers>,
    ) -> Self {
        Self { file: Arc::new(TargetFile::of_journal(connector, writer, readers)) }
    }

    /// The file, as an absolute path without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Waits for the transactions under way and closes the connections. Later calls get
    /// [`StoreError::Unavailable`]. Dropping all clones closes them without waiting.
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of it open; closing again closes the rest.
    pub async fn close(&self) {
        self.file.close().await;
    }

    /// Clones have the same connections, and are closed together.
    pub(super) fn place(&self) -> ProgressPlace {
        let (path, file) = (self.path().display(), Arc::as_ptr(&self.file));
        ProgressPlace::new(format_args!("SQLite, {path}, opened as {file:p}"))
    }

    pub(super) fn file(&self) -> &TargetFile {
        &self.file
    }
}

impl ExactTarget for SqliteTarget {
    type Connection = SqliteConnection;
    type Tx = SqliteTx;

    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::new(self.clone())
    }

    async fn begin(&self, _open_max: Duration) -> Result<SqliteTx, StoreError> {
        self.file.begin_handler("writing what a projection has handled").await
    }

    fn connection(tx: &mut SqliteTx) -> &mut SqliteConnection {
        tx.connection()
    }

    async fn commit(&self, mut tx: SqliteTx, change: &ProgressChange) -> Result<(), SaveError> {
        let changed = match tx.settle().await {
            Ok(()) => change::apply(&mut tx, change).await,
            ended => ended,
        };
        match tx.finish(changed).await {
            Err(SaveError::Store(cause)) if tx.is_refused() => {
                Err(SaveError::Broken { cause: Some(cause) })
            }
            done => done,
        }
    }

    async fn rollback(&self, mut tx: SqliteTx) {
        tx.abort().await;
    }

    fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
        let causes =
            std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
        causes.filter_map(|error| error.downcast_ref()).any(fault::is_unavailable)
    }
}

impl fmt::Debug for SqliteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTarget").field("path", &self.path()).finish_non_exhaustive()
    }
}
