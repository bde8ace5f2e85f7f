use crate::{
    OpenError, SqliteSettings, SqliteTarget,
    checkpoint::{Checkpointer, Checkpoints},
    checkpoint_session::CheckpointSession,
    held_locks::HeldLocks,
    journal_files::JournalFiles,
    open::{self, Opened},
    place::Places,
    readers::Readers,
    room::Room,
    wal_growth::WalGrowth,
    writer::{Writer, WriterParts},
};
use actum_persistence::store::JournalLayout;
use std::{fmt, path::Path, sync::Arc};

/// A journal in a SQLite file.
///
/// It keeps every promise of [`actum_persistence::store`]. One connection writes, a few others read, one copies the
/// write-ahead log into the file; each has a thread of its own, so that no thread of the runtime waits for the disk.
/// Beside `bank.db` there are `bank.db-wal` and `bank.db-shm`, which belong to it while it is open and after a crash,
/// and `bank.db.writer-7`, which shows that the seventh incarnation lives. The file must be on a local disk: network
/// file systems do not lock as SQLite needs it.
///
/// The path is one of the file system, never a URL. Nothing is confirmed before the store has seen that the paths still
/// name the files it has open. Once one was removed, renamed, replaced or given another name by a hard link, every call
/// ends in [`StoreError::Lost`](actum_persistence::store::StoreError::Lost), and the write that met it first in
/// [`StoreError::OutcomeUnknown`](actum_persistence::store::StoreError::OutcomeUnknown). What is overwritten in place
/// cannot be noticed.
///
/// On a volume that is almost full, writes are refused as unavailable while the log can still be copied into the file.
///
/// Several processes can open one file. Only the one that holds a writer slot appends, and who dies gives its slot back
/// by dying, see [`WriterStore`](actum_persistence::store::WriterStore); leases mean nothing here.
///
/// [`close`](Self::close) finishes what is under way, gives back its writer slots and
/// closes the file. Dropping a store does so without waiting, as a crash would: nothing that was confirmed is lost.
///
/// # Examples
/// ```
/// # mod actum { pub use {actum_persistence::store, actum_store_sqlite as sqlite}; }
/// use actum::sqlite::{SqliteSettings, SqliteStore, Synchronous};
/// use actum::store::Stores;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let bank = Stores::of(SqliteStore::open(directory.join("bank.db")).await?);
///
/// let settings = SqliteSettings::default().with_synchronous(Synchronous::Normal);
/// let file = directory.join("cache.db");
/// let cache = Stores::of(SqliteStore::open_with(file, settings).await?);
/// # bank.close().await;
/// # cache.close().await;
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    path: Arc<Path>,
    layout: JournalLayout,
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    target: SqliteTarget,
    checkpointer: Checkpointer,
    checkpoints: Arc<CheckpointSession>,
    // last: its descriptor of the database file is closed behind the connections
    files: Arc<JournalFiles>,
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
    /// Dropping the future releases the file. What it has created there by then is a journal or empty, and can be
    /// opened.
    pub async fn open_with(
        path: impl AsRef<Path>,
        settings: SqliteSettings,
    ) -> Result<Self, OpenError> {
        let Opened { connector, first, second, layout, files } =
            open::open(path.as_ref(), settings).await?;
        // a few checks for each checkpoint
        let growth = Arc::new(WalGrowth::new(connector.settings.checkpoint_bytes / 4));
        let (files, room) = (Arc::new(files), Arc::new(Room::of(&connector)));
        let path = Arc::clone(&connector.path);
        let checkpoints = Arc::new(CheckpointSession::new(connector.clone(), second));
        room.recover(&checkpoints).await; // a writer that died may have left no room for the next
        let parts = WriterParts {
            files: Arc::clone(&files),
            growth: Arc::clone(&growth),
            room: Arc::clone(&room),
            checkpoints: Arc::clone(&checkpoints),
        };
        let writer = Arc::new(Writer::new(connector.clone(), first, layout.lanes, parts));
        let readers = Arc::new(Readers::new(connector.clone(), Arc::clone(&files)));
        let target = SqliteTarget::of_journal(connector, Arc::clone(&writer), Arc::clone(&readers));
        let checkpointer = Checkpointer::start(Checkpoints {
            session: Arc::clone(&checkpoints),
            writer: Arc::clone(&writer),
            growth,
            room,
            files: Arc::clone(&files),
        });
        Ok(Self { path, layout, writer, readers, target, checkpointer, checkpoints, files })
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

    pub(crate) fn target(&self) -> &SqliteTarget {
        &self.target
    }

    pub(crate) fn locks(&self) -> &HeldLocks {
        self.files.writer_locks()
    }

    /// Finishes what is under way, gives back the writer slots and closes the file; as
    /// [`EventStore::close`](actum_persistence::store::EventStore::close).
    ///
    /// # Cancel safety
    /// Dropping the future leaves part of it open; closing again closes the rest, and so does dropping the store.
    pub async fn close(&self) {
        // first: an append that came later would find its slot given back, and take itself for replaced
        self.writer.refuse().await;
        self.release_all().await;
        self.target.close().await;
        self.checkpointer.close().await;
        self.readers.close().await;
        self.checkpoints.close().await;
        self.files.release_lock();
        // the last connection copies the write-ahead log into the file
        self.writer.close().await;
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // at once, no matter who else still ends: the next one must not take this writer for alive
        self.locks().clear();
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
