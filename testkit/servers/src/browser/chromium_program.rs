use std::path::{Path, PathBuf};

use crate::{ServerError, executables::on_path};

/// What packages call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The program of Chromium on this machine.
#[derive(Clone, Debug)]
pub struct ChromiumProgram(PathBuf);

impl ChromiumProgram {
    /// Finds the program on PATH.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<Self, ServerError> {
        NAMES.into_iter().flat_map(on_path).next().map(Self).ok_or(ServerError::NotInstalled {
            program: "Chromium",
            hint: "install it (Debian: apt-get install chromium; Alpine: apk add chromium; Fedora: dnf install chromium)",
        })
    }

    /// One that a test has made.
    #[cfg(test)]
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}
