use actum_persistence::store::JournalLayout;
use std::{error::Error, io, path::PathBuf};

/// Why a file was not opened as a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The settings are not valid; all problems are listed.
    #[error("the settings for the journal `{}` are not valid: {}", .path.display(), .problems.join("; "))]
    InvalidSettings {
        /// The file.
        path: PathBuf,
        /// What is wrong, one entry each.
        problems: Vec<String>,
    },
    /// The path cannot name a journal.
    #[error("`{}` cannot name a journal: {why}", .path.display())]
    InvalidPath {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The directory the file should be in does not exist.
    #[error("the journal `{}` cannot be created: there is no directory `{}`", .path.display(), .directory.display())]
    MissingDirectory {
        /// The file.
        path: PathBuf,
        /// The directory.
        directory: PathBuf,
    },
    /// The path names a directory, or something else that is no file.
    #[error("`{}` is not a file", .path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is no SQLite database.
    #[error("`{}` is not a SQLite database", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database, but no journal.
    #[error("the SQLite database `{}` belongs to another program: it is not a journal of Actum", .path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of Actum has written the file.
    #[error("the journal `{}` has schema version {found}, this program knows up to {known}: use a newer one", .path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema version of the file.
        found: i64,
        /// The newest schema version this program knows.
        known: i64,
    },
    /// The file is divided otherwise than the settings ask for.
    #[error(
        "the journal `{}` was created with {}, the settings ask for {}",
        .path.display(), parts(.found), parts(.asked)
    )]
    LayoutMismatch {
        /// The file.
        path: PathBuf,
        /// How the file is divided.
        found: JournalLayout,
        /// How the settings want it.
        asked: JournalLayout,
    },
    /// The file, or the directory it is in, cannot be written to.
    #[error("the journal `{}` cannot be written: no permission to change `{}`", .path.display(), .read_only.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What cannot be changed: the file, with its log beside it, or the directory.
        read_only: PathBuf,
    },
    /// Another program kept the file locked for longer than `busy_timeout`.
    #[error("the journal `{}` is locked by another program", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is damaged.
    #[error("the journal `{}` is damaged: {what}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The disk, or the operating system, failed.
    #[error("the journal `{}` cannot be opened", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
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
