use crate::{
    file_id::FileId,
    lost::Lost,
    named_file::{NamedFile, beside},
};
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Shows that the holder of an incarnation is alive: a lock of the operating system on a file beside the journal,
/// `<journal>.writer-<incarnation>`. It ends with the process that took it, however that ends.
///
/// One file an incarnation, not one a slot: an incarnation that was revoked while its holder lives keeps its own file
/// locked, and is no obstacle to the next one. A number is never used twice, so a file can be deleted without anyone
/// else waiting for the same name. The lock only shows life. Who may write is in the table `writers`; were the lock
/// wrong (a file system without locks, a file that was deleted), the former holder would be fenced, not joined.
#[derive(Debug)]
pub(crate) struct WriterLock {
    // held open for the lock on it
    _file: File,
    named: NamedFile,
}

/// What came of trying to take a lock.
pub(crate) enum Taken {
    /// It was free: its holder is dead, or there was none.
    Free(WriterLock),
    /// Its holder is alive.
    Held,
}

impl WriterLock {
    /// Tries to take the lock of an incarnation of `journal`.
    pub(crate) fn take(journal: &Path, incarnation: i64) -> io::Result<Taken> {
        let path = Self::path(journal, incarnation);
        // the file stays empty; writable, since some file systems lock only such
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {
                let named = NamedFile { path, file: FileId::of(&file.metadata()?) };
                Ok(Taken::Free(Self { _file: file, named }))
            }
            Err(TryLockError::WouldBlock) => Ok(Taken::Held),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The file that is locked for an incarnation of `journal`.
    pub(crate) fn path(journal: &Path, incarnation: i64) -> PathBuf {
        beside(journal, &format!(".writer-{incarnation}"))
    }

    /// Fails if its path does not name the file that is locked any more.
    pub(crate) fn look(&self) -> Result<(), Lost> {
        self.named.look()
    }

    /// Releases a lock that no one will ask for again, and deletes its file.
    pub(crate) fn discard(self) {
        let path = &self.named.path;
        if let Err(error) = fs::remove_file(path) {
            tracing::debug!(%error, path = %path.display(), "a lock file was not deleted");
        }
    }
}
