use std::path::{Path, PathBuf};

use crate::{
    ServerError,
    executables::{is_program, on_path},
};

/// Where it is when it is not on PATH: Debian puts it among the programs of the administrator.
const PLACES: [&str; 3] =
    ["/usr/sbin/nats-server", "/usr/local/sbin/nats-server", "/opt/homebrew/bin/nats-server"];

/// The program of NATS on this machine.
#[derive(Clone, Debug)]
pub struct NatsProgram(PathBuf);

impl NatsProgram {
    /// Finds the program: on PATH, or where packages put it.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<Self, ServerError> {
        let elsewhere = PLACES.iter().map(PathBuf::from).filter(|place| is_program(place));
        on_path("nats-server").into_iter().chain(elsewhere).next().map(Self).ok_or(
            ServerError::NotInstalled {
                program: "NATS",
                hint: "install it (Debian, Ubuntu: apt-get install nats-server; Alpine: apk add nats-server; \
                       macOS: brew install nats-server)",
            },
        )
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}
