//! The lock that keeps other processes from taking the journal for one that no one has open.
//!
//! Each connection to a file in WAL mode holds SQLite's shared lock on it. The last one to close finds out by taking
//! the exclusive lock, and then deletes the log. On Unix these are POSIX locks, and the operating system drops all that
//! a process holds on a file as soon as it closes *any* descriptor of that file: a library that copies the file is
//! enough. Then the next outside `sqlite3` deletes the log this process goes on writing to. So the store holds the
//! shared lock again, on a descriptor of its own, as a lock of the open file (OFD), which ends with that descriptor
//! alone. The two kinds conflict as two processes would, see `fcntl(2)` and <https://www.sqlite.org/howtocorrupt.html>,
//! 2.2.
//!
//! Linux and Android have such locks. Elsewhere a log that was deleted is noticed, by `journal_files.rs`.

use std::{fs::File, io, path::Path};

// os_unix.c: the bytes that stand for the lock, far behind the end of most files
#[cfg(any(target_os = "linux", target_os = "android"))]
const SHARED_FIRST: i64 = 0x4000_0000 + 2;
#[cfg(any(target_os = "linux", target_os = "android"))]
const SHARED_SIZE: i64 = 510;

/// SQLite's shared lock on a database file, held by a descriptor.
#[derive(Debug)]
pub(crate) struct SharedLock {
    file: File,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl SharedLock {
    /// Takes the lock. A connection of this process must hold SQLite's own at that time: so no one can be closing the
    /// file for the last time, and what SQLite locks when it creates a file is not dropped if this descriptor is
    /// closed.
    ///
    /// # Errors
    /// `WouldBlock` when another process has the exclusive lock, others when the file system has no such locks.
    pub(crate) fn take(database: &Path) -> io::Result<Self> {
        let lock = Self { file: File::open(database)? };
        lock.set(nix::libc::F_RDLCK)?;
        Ok(lock)
    }

    /// Releases the lock, so that this process can close the file for the last time. The descriptor stays open: closing
    /// it now would drop the locks of SQLite.
    pub(crate) fn release(&self) {
        if let Err(error) = self.set(nix::libc::F_UNLCK) {
            tracing::debug!(%error, "the lock of the journal was not released, it ends with its descriptor");
        }
    }

    fn set(&self, kind: nix::libc::c_int) -> io::Result<()> {
        use nix::{errno::Errno, fcntl, libc};
        let range = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: SHARED_FIRST as libc::off_t,
            l_len: SHARED_SIZE as libc::off_t,
            l_pid: 0, // as a lock of an open file has it
        };
        match fcntl::fcntl(&self.file, fcntl::FcntlArg::F_OFD_SETLK(&range)) {
            Ok(_) => Ok(()),
            Err(Errno::EACCES) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl SharedLock {
    /// Does not open the file: closing it again would drop the very locks of SQLite.
    pub(crate) fn take(_: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn release(&self) {}
}

impl SharedLock {
    /// The file that is locked, whatever its path names now.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}
