//! The files of a journal, and whether their paths still name them.
//!
//! An open file can be removed, renamed or replaced, and nothing fails: commits go to a file that the next start will
//! not find, or that another program opens by another name and without the log. So nothing is acknowledged before its
//! files were looked at behind the commit. What is noticed ends the store: it serves nothing more, and says what
//! happened.

use crate::{
    file_id::{self, FileId},
    held_locks::HeldLocks,
    lost::{How, Lost},
    named_file::{NamedFile, beside, is_absence},
    shared_lock::SharedLock,
};
use actum_persistence::{panics::log_safely, store::StoreError};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The database file, the log and its index beside it, and the files that show which writers live.
#[derive(Debug)]
pub(crate) struct JournalFiles {
    database: NamedFile,
    log: NamedFile,
    index: NamedFile,
    lock: Option<SharedLock>,
    writer_locks: HeldLocks,
    lost: OnceLock<Arc<Lost>>,
}

impl JournalFiles {
    /// Takes note of the files of a journal that was opened, as long as a connection to it is open.
    pub(crate) fn of(database: &Path, lock: Option<SharedLock>) -> io::Result<Self> {
        let [log, index] = ["-wal", "-shm"].map(|suffix| beside(database, suffix));
        Ok(Self {
            database: NamedFile::at(database.into())?,
            log: NamedFile::at(log)?,
            index: NamedFile::at(index)?,
            lock,
            writer_locks: HeldLocks::default(),
            lost: OnceLock::new(),
        })
    }

    /// Compares the files with what their paths name: some microseconds.
    ///
    /// # Errors
    /// What has happened to the first that is not what it was; the same from then on.
    pub(crate) fn check(&self) -> Result<(), Arc<Lost>> {
        if let Some(lost) = self.lost() {
            return Err(lost);
        }
        let looked = self.look();
        looked.map_err(|lost| {
            let lost = Arc::clone(self.lost.get_or_init(|| Arc::new(lost)));
            log_safely(|| {
                tracing::error!(%lost, "a file of the database was changed, nothing more is read or written there");
            });
            lost
        })
    }

    /// What has happened to a file, once it was noticed.
    pub(crate) fn lost(&self) -> Option<Arc<Lost>> {
        self.lost.get().cloned()
    }

    /// Why the store does nothing more if a file is lost, else `error`.
    pub(crate) fn refusal_or(&self, error: impl FnOnce() -> StoreError) -> StoreError {
        self.check().map_or_else(Lost::refusal, |()| error())
    }

    /// The locks of the incarnations that were claimed through this store.
    pub(crate) fn writer_locks(&self) -> &HeldLocks {
        &self.writer_locks
    }

    /// Allows that the last connection of this process to close deletes the log.
    pub(crate) fn release_lock(&self) {
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }

    /// Whether the log may be copied into the database file although a file is lost: the database file still has a
    /// name, and no one can have opened the journal without the log and the index of this process.
    pub(crate) fn can_be_salvaged(&self) -> bool {
        let mine = |named: &NamedFile| match named.look() {
            Ok(()) => true,
            Err(lost) => matches!(lost.how, How::RemovedOrRenamed),
        };
        let database = match self.look_at_database() {
            Ok(()) => true,
            Err(lost) => matches!(lost.how, How::Renamed { .. } | How::Linked { .. }),
        };
        database && mine(&self.log) && mine(&self.index)
    }

    fn look(&self) -> Result<(), Lost> {
        self.look_at_database()?;
        self.log.look()?;
        self.index.look()?;
        self.writer_locks.look()
    }

    fn look_at_database(&self) -> Result<(), Lost> {
        let NamedFile { path, file } = &self.database;
        let lost = |how| Lost { path: path.clone(), how };
        match FileId::at(path) {
            Ok((found, metadata)) if found == *file => match file_id::names(&metadata) {
                0 | 1 => Ok(()),
                names => Err(lost(How::Linked { names })),
            },
            Ok(_) => Err(lost(How::Replaced)),
            Err(error) if is_absence(&error) => Err(lost(self.whereabouts())),
            Err(error) => Err(lost(How::Unreadable { error })),
        }
    }

    /// What has happened to the database file, which is not at its path.
    fn whereabouts(&self) -> How {
        let Some(file) = self.lock.as_ref().map(SharedLock::file) else {
            return How::RemovedOrRenamed;
        };
        match file.metadata().map(|metadata| file_id::names(&metadata)) {
            Ok(0) => How::Removed,
            Ok(_) => How::Renamed { to: path_of(file) },
            Err(_) => How::RemovedOrRenamed,
        }
    }
}

/// Where an open file is now, where the operating system says it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn path_of(file: &std::fs::File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn path_of(_: &std::fs::File) -> Option<PathBuf> {
    None
}
