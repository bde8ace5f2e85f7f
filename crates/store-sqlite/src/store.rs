use crate::{
    OpenError, SqliteSettings,
    checkpoint::Checkpointer,
    open::{self, Opened},
    place::Places,
    readers::Readers,
    wal_growth::WalGrowth,
    writer::Writer,
    writer_store::HeldLocks,
};
use actum_persistence::store::JournalLayout;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A journal in a SQLite file.
///
/// It keeps every promise of [`actum_persistence::store`]. One connection writes, a few others read, one copies the
/// write-ahead log into the file; each has a thread of its own, so that no thread of the runtime waits for the disk.
/// Beside `bank.db` there are `bank.db-wal` and `bank.db-shm`, which belong to it while it is open and after a crash, and
/// `bank.db.writer-7`, which shows that the seventh incarnation lives. The file must be on a local disk: network file
/// systems do not lock as SQLite needs it.
///
/// Several processes can open one file. Only the one that holds a writer slot appends, and who dies gives its slot back
/// by dying, see [`WriterStore`](actum_persistence::store::WriterStore); leases mean nothing here.
///
/// [`close`](Self::close) finishes what is under way, gives back its writer slots and
/// closes the file. Dropping a store does so without waiting, as a crash would: nothing that was confirmed is lost.
///
/// # Examples
/// ```
/// use actum_persistence::store::Stores;
/// use actum_store_sqlite::{SqliteSettings, SqliteStore, Synchronous};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let bank = Stores::of(SqliteStore::open(directory.join("bank.db")).await?);
///
/// let settings = SqliteSettings::default().with_synchronous(Synchronous::Normal);
/// let cache = Stores::of(SqliteStore::open_with(directory.join("cache.db"), settings).await?);
/// # bank.close().await;
/// # cache.close().await;
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    path: PathBuf,
    layout: JournalLayout,
    writer: Arc<Writer>,
    readers: Readers,
    checkpointer: Checkpointer,
    locks: HeldLocks,
}

impl SqliteStore {
    /// Opens the journal at `path`, and creates it if there is none; with the default settings.
    ///
    /// # Errors
    /// [`OpenError`] when the file cannot be used as a journal.
    ///
    /// # Cancel safety
    /// As [`open_with`](Self::open_with).
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, SqliteSettings::default()).await
    }

    /// As [`open`](Self::open), with `settings`.
    ///
    /// # Errors
    /// [`OpenError`] when the settings are not valid or the file cannot be used as a journal.
    ///
    /// # Cancel safety
    /// Dropping the future lets go of the file. What it has created there by then is a journal or empty, and can be opened.
    pub async fn open_with(
        path: impl AsRef<Path>,
        settings: SqliteSettings,
    ) -> Result<Self, OpenError> {
        let Opened { connector, session, layout } = open::open(path.as_ref(), settings).await?;
        // a few looks for each checkpoint
        let growth = Arc::new(WalGrowth::new(connector.settings.checkpoint_bytes / 4));
        let path = connector.path.clone();
        let writer = Writer::new(connector.clone(), session, layout.lanes, Arc::clone(&growth));
        let writer = Arc::new(writer);
        let readers = Readers::new(connector.clone());
        let checkpointer = Checkpointer::start(connector, Arc::clone(&writer), growth);
        let locks = HeldLocks::default();
        Ok(Self { path, layout, writer, readers, checkpointer, locks })
    }

    /// The file, as an absolute path without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn layout(&self) -> JournalLayout {
        self.layout
    }

    pub(crate) fn places(&self) -> Places {
        Places::new(self.layout.lanes)
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(crate) fn locks(&self) -> &HeldLocks {
        &self.locks
    }

    /// Finishes what is under way, gives back the writer slots and closes the file; as
    /// [`EventStore::close`](actum_persistence::store::EventStore::close).
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of it open; closing again closes the rest, and so does dropping the store.
    pub async fn close(&self) {
        self.release_all().await;
        self.checkpointer.close().await;
        self.readers.close().await;
        // the last connection copies the write-ahead log into the file
        self.writer.close().await;
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
