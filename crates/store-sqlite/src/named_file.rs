use crate::{
    file_id::FileId,
    lost::{How, Lost},
};
use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

/// A path, and what it named when the journal was opened or the file was created.
#[derive(Debug)]
pub(crate) struct NamedFile {
    pub(crate) path: PathBuf,
    pub(crate) file: FileId,
}

impl NamedFile {
    pub(crate) fn at(path: PathBuf) -> io::Result<Self> {
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

/// Whether an error says that there is no such file.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
