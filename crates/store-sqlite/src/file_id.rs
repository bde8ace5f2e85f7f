use std::{fs::Metadata, io, path::Path};

/// Which file of the operating system a path names: its device and inode on Unix. Elsewhere std does not say it, and
/// all files are the same; there an open file cannot be removed or renamed in the first place (Windows).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileId {
    /// The file at `path`, behind symbolic links.
    pub(crate) fn at(path: &Path) -> io::Result<(Self, Metadata)> {
        let metadata = path.metadata()?;
        Ok((Self::of(&metadata), metadata))
    }

    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Self {}
    }
}

/// How many names a file has; 1 where std does not say it.
#[cfg(unix)]
pub(crate) fn names(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.nlink()
}

/// How many names a file has; 1 where std does not say it.
#[cfg(not(unix))]
pub(crate) fn names(_: &Metadata) -> u64 {
    1
}
