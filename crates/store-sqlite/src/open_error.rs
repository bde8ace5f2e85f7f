use actum_persistence::{error_chain::fmt_causes, store::JournalLayout};
use std::{error::Error, fmt, io, path::PathBuf};

/// Why a file was not opened as a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The settings are not valid; all problems are listed.
    InvalidSettings {
        /// The file.
        path: PathBuf,
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// The path cannot name a journal.
    InvalidPath {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The directory the file should be in does not exist.
    MissingDirectory {
        /// The file.
        path: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
    /// The path names a directory, or something else that is no file.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file has several names, by hard links. SQLite keeps the log beside the name a file is opened by, so a
    /// process that opens it by another one does not see what is in the log.
    Linked {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// The file is no SQLite database.
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database, but no journal.
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of Actum has written the file.
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema version of the file.
        found: i64,
        /// The newest schema version this program knows.
        known: i64,
    },
    /// The file is divided otherwise than the settings ask for.
    LayoutMismatch {
        /// The file.
        path: PathBuf,
        /// How the file is divided.
        found: JournalLayout,
        /// How the settings want it.
        asked: JournalLayout,
    },
    /// The file, or the directory it is in, cannot be written to.
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What cannot be changed: the directory, the file, its `-wal` or its `-shm`.
        read_only: PathBuf,
    },
    /// Another program kept the file locked for longer than `busy_timeout`.
    Locked {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is damaged.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The disk, or the operating system, failed.
    Disk {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSettings { path, problems } => write!(
                f,
                "the settings for the journal `{}` are not valid: {}",
                path.display(),
                problems.join("; ")
            ),
            Self::InvalidPath { path, why } => {
                write!(f, "`{}` cannot name a journal: {why}", path.display())
            }
            Self::MissingDirectory { path, directory } => write!(
                f,
                "the journal `{}` cannot be created: there is no directory `{}`",
                path.display(),
                directory.display()
            ),
            Self::NotAFile { path } => write!(f, "`{}` is not a file", path.display()),
            Self::Linked { path, names } => write!(
                f,
                "the journal `{}` has {names} hard links, and a program that opens it by another name does not see \
                 its log: remove all but one",
                path.display()
            ),
            Self::NotADatabase { path } => {
                write!(f, "`{}` is not a SQLite database", path.display())
            }
            Self::NotAJournal { path } => write!(
                f,
                "the SQLite database `{}` belongs to another program: it is not a journal of Actum",
                path.display()
            ),
            Self::NewerSchema { path, found, known } => write!(
                f,
                "the journal `{}` has schema version {found}, this program knows up to {known}: use a newer one",
                path.display()
            ),
            Self::LayoutMismatch { path, found, asked } => write!(
                f,
                "the journal `{}` was created with {}, the settings ask for {}",
                path.display(),
                parts(found),
                parts(asked)
            ),
            Self::ReadOnly { path, read_only } => write!(
                f,
                "the journal `{}` cannot be written: no permission to change `{}`",
                path.display(),
                read_only.display()
            ),
            Self::Locked { path, .. } => {
                write!(f, "the journal `{}` is locked by another program", path.display())
            }
            Self::Corrupt { path, what } => {
                write!(f, "the journal `{}` is damaged: {what}", path.display())
            }
            Self::Disk { path, .. } => {
                write!(f, "the journal `{}` cannot be opened", path.display())
            }
        }?;
        fmt_causes(self, f)
    }
}

fn parts(layout: &JournalLayout) -> String {
    format!("{} partitions and {} lanes", layout.partitions.get(), layout.lanes.get())
}

impl OpenError {
    /// An [`OpenError::Disk`] from an error of the operating system.
    pub(crate) fn disk(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Disk { path: path.into(), source: source.into() }
    }
}
