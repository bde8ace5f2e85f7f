use crate::named_file::beside;
use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// What is in the way of a file that SQLite could not open or change; SQLite itself says only that it could not.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// This process has no permission to change it: the directory, the database file, its log or the log's index.
    Forbidden(PathBuf),
    /// It has the name of one of these files, and is not a file.
    NotAFile(PathBuf),
    /// The operating system refuses: too many open files, a failing disk.
    System(io::Error),
}

impl Obstacle {
    /// Looks for what is in the way of the journal at `database`.
    ///
    /// Its files must not be opened to find out: closing them again would end the locks that SQLite holds on them for
    /// other connections of this process, as POSIX has it.
    pub(crate) fn find(database: &Path) -> Option<Self> {
        let directory = database.parent().unwrap_or(Path::new("/"));
        if let Err(error) = create_file_in(directory) {
            return Some(Self::of(directory, error));
        }
        let files = ["", "-wal", "-shm"].map(|suffix| beside(database, suffix));
        files.into_iter().find_map(|path| match path.metadata() {
            Ok(found) if !found.is_file() => Some(Self::NotAFile(path)),
            Ok(_) => may_change(&path).err().map(|error| Self::of(&path, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Self::of(&path, error)),
        })
    }

    fn of(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::Forbidden(path.into())
            }
            _ => Self::System(error),
        }
    }

    /// The obstacle as an error of the operating system.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Forbidden(path) => {
                io::Error::other(format!("no permission to change `{}`", path.display()))
            }
            Self::NotAFile(path) => io::Error::other(format!("`{}` is not a file", path.display())),
            Self::System(error) => error,
        }
    }
}

fn create_file_in(directory: &Path) -> io::Result<()> {
    let probe = directory.join(format!(".actum-probe-{}", std::process::id()));
    match File::create_new(&probe) {
        Ok(_) => {
            // deleting what was just created there can only fail when the disk does
            drop(std::fs::remove_file(&probe));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()), // another thread is looking
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn may_change(path: &Path) -> io::Result<()> {
    use nix::{
        fcntl::{AT_FDCWD, AtFlags},
        unistd::{AccessFlags, faccessat},
    };
    let access = AccessFlags::R_OK | AccessFlags::W_OK;
    faccessat(AT_FDCWD, path, access, AtFlags::AT_EACCESS).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn may_change(path: &Path) -> io::Result<()> {
    match path.metadata()?.permissions().readonly() {
        true => Err(ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}
