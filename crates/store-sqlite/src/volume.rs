use std::path::Path;

/// How much room there is where a journal lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    /// What this process may still take, in bytes.
    pub(crate) free: u64,
    /// Everything, in bytes.
    pub(crate) total: u64,
}

impl Volume {
    /// The volume that has the file at `path`; `None` where the operating system does not say.
    #[cfg(unix)]
    #[cfg_attr(
        all(target_os = "linux", target_pointer_width = "64"),
        expect(clippy::useless_conversion, reason = "elsewhere these numbers are narrower")
    )]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = nix::sys::statvfs::statvfs(path).ok()?;
        let blocks = |blocks| u64::from(blocks) * u64::from(found.fragment_size());
        let (free, total) = (blocks(found.blocks_available()), blocks(found.blocks()));
        // a file system without a bound says that it has nothing at all
        (total > 0).then_some(Self { free, total })
    }

    /// The volume that has the file at `path`; `None` where the operating system does not say.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Path) -> Option<Self> {
        None
    }
}
