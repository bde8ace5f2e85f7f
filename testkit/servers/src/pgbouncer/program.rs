use std::path::{Path, PathBuf};

use crate::{
    ServerError,
    executables::{is_program, on_path},
};

/// Where it is when it is not on PATH: Debian puts it among the programs of the administrator.
const PLACES: [&str; 3] =
    ["/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];

/// PgBouncer's program on this machine.
#[derive(Clone, Debug)]
pub struct PgBouncerProgram(PathBuf);

impl PgBouncerProgram {
    /// Finds the program: on PATH, or where packages put it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<Self, ServerError> {
        let elsewhere = PLACES.iter().map(PathBuf::from).filter(|place| is_program(place));
        on_path("pgbouncer").into_iter().chain(elsewhere).next().map(Self).ok_or(
            ServerError::NotInstalled {
                program: "PgBouncer",
                hint: "install it (Debian, Ubuntu: apt-get install pgbouncer; Fedora: dnf install pgbouncer; \
                       Alpine: apk add pgbouncer; macOS: brew install pgbouncer)",
            },
        )
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}
