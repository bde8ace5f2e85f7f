//! The files of a journal, and whether their paths still name them.
//!
//! An open file can be removed, renamed or replaced, and nothing fails: commits go to a file that the next start will
//! not find, or that another program opens by another name and without the log. So nothing is acknowledged before its
//! files were looked at behind the commit. What is noticed ends the store: it serves nothing more, and says what
//! happened.

use crate::{
    file_id::{self, FileId},
    shared_lock::SharedLock,
    writer_store::HeldLocks,
};
use actum_persistence::{panics::log_safely, store::StoreError};
use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// The database file, the log and its index beside it, and the files that show which writers live.
#[derive(Debug)]
pub(crate) struct JournalFiles {
    database: Named,
    log: Named,
    index: Named,
    lock: Option<SharedLock>,
    writer_locks: HeldLocks,
    lost: OnceLock<Arc<Lost>>,
}

/// A path, and what it named when the journal was opened or the file was created.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) path: PathBuf,
    pub(crate) file: FileId,
}

/// What has happened to a file of the journal.
#[derive(Debug)]
pub(crate) struct Lost {
    path: PathBuf,
    how: How,
}

#[derive(Debug)]
enum How {
    Removed,
    Renamed { to: Option<PathBuf> },
    RemovedOrRenamed,
    Replaced,
    Linked { names: u64 },
    Unreadable { error: io::Error },
}

impl JournalFiles {
    /// Takes note of the files of a journal that was opened, as long as a connection to it is open.
    pub(crate) fn of(database: &Path, lock: Option<SharedLock>) -> io::Result<Self> {
        let [log, index] = ["-wal", "-shm"].map(|suffix| beside(database, suffix));
        Ok(Self {
            database: Named::at(database.into())?,
            log: Named::at(log)?,
            index: Named::at(index)?,
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
                tracing::error!(%lost, "a file of the journal was changed, the store serves nothing any more");
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
        let mine = |named: &Named| match named.look() {
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
        let Named { path, file } = &self.database;
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

    /// What has become of the database file, which is not at its path.
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

impl Named {
    fn at(path: PathBuf) -> io::Result<Self> {
        let (file, _) = FileId::at(&path)?;
        Ok(Self { path, file })
    }

    /// Fails if the path does not name the file any more.
    pub(crate) fn look(&self) -> Result<(), Lost> {
        let how = match FileId::at(&self.path) {
            Ok((found, _)) if found == self.file => return Ok(()),
            Ok(_) => How::Replaced,
            Err(error) if is_absence(&error) => How::RemovedOrRenamed,
            Err(error) => How::Unreadable { error },
        };
        Err(Lost { path: self.path.clone(), how })
    }
}

/// The name of a file that belongs to a journal.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(database);
    path.push(suffix);
    path.into()
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
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

impl Lost {
    /// The error of a call that was not begun.
    pub(crate) fn refusal(self: Arc<Self>) -> StoreError {
        StoreError::lost(self.to_string())
    }

    /// The error of a write that was committed to these files.
    pub(crate) fn unknown(self: Arc<Self>, doing: &str) -> StoreError {
        StoreError::outcome_unknown(doing, self.to_string())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.how {
            How::Removed => write!(f, "`{path}` was removed while it was in use"),
            How::Renamed { to: Some(to) } => {
                write!(f, "`{path}` was renamed to `{}` while it was in use", to.display())
            }
            How::Renamed { to: None } => write!(f, "`{path}` was renamed while it was in use"),
            How::RemovedOrRenamed => {
                write!(f, "`{path}` was removed or renamed while it was in use")
            }
            How::Replaced => write!(f, "`{path}` was replaced by another file while it was in use"),
            How::Linked { names } => write!(
                f,
                "`{path}` was given another name while it was in use, it now has {names} hard links: a program that \
                 opens it by the other name does not see its log"
            ),
            How::Unreadable { error } => {
                write!(f, "`{path}` can no longer be checked: {error}")
            }
        }
    }
}
