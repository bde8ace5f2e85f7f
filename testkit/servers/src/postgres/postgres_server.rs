use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    binaries::PostgresBinaries,
    preparation::{DATA, SOCKET, USER, prepare},
    settings::PostgresServerSettings,
    url::encoded,
};
use crate::{
    ServerError,
    process::{Ready, ServerHome, ServerProcess, Signal, on_free_port},
};

const NAME: &str = "PostgreSQL";

/// How long a server may take to come up; after a kill it replays its log first.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How long a server may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopMode {
    /// Waits until every client has left; fails after a minute.
    Smart,
    /// Rolls back what is under way, disconnects everybody, writes a checkpoint.
    Fast,
    /// Ends every process at once, as a crash does; the next start recovers. Commits that were answered are kept.
    Immediate,
}

/// A PostgreSQL server of its owner alone: its own data, port and socket folder, below one temporary directory.
///
/// A start takes about a second, most of it for the new data directory. As root the server runs as `postgres` or
/// `nobody`. Dropping it stops it at once, waits for its processes and deletes its directory.
#[derive(Debug)]
pub struct PostgresServer {
    binaries: PostgresBinaries,
    settings: PostgresServerSettings,
    port: u16,
    process: Option<ServerProcess>,
    home: ServerHome,
}

impl PostgresServer {
    /// Makes a data directory and starts a server on it; returns when it takes connections.
    ///
    /// # Errors
    /// When something fails on the way; the message has the end of the log.
    pub fn start(
        binaries: &PostgresBinaries,
        settings: PostgresServerSettings,
    ) -> Result<Self, ServerError> {
        let home = ServerHome::create(NAME, "QUIT")?;
        prepare(&home, binaries, &settings)?;
        let binaries = binaries.clone();
        let mut server = Self { binaries, settings, port: 0, process: None, home };
        on_free_port("could not create any TCP/IP sockets", |port| {
            server.port = port;
            server.home.clear_log();
            server.launch()
        })?;
        Ok(server)
    }

    /// The URL of a database over TCP, as the superuser `actum`; it has the password where one is needed. `postgres` is
    /// there from the beginning.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self.settings.password.as_deref().map_or(String::new(), encoded);
        let colon = if password.is_empty() { "" } else { ":" };
        format!("postgres://{USER}{colon}{password}@{}:{}/{database}", self.host(), self.port)
    }

    /// `127.0.0.1`, the only address it listens on.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// Its port, the same for its whole life.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser that owns it, `actum`.
    #[must_use]
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The password of its superuser, where one is needed.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.settings.password.as_deref()
    }

    /// The folder of its Unix socket.
    #[must_use]
    pub fn socket_dir(&self) -> PathBuf {
        self.home.path().join(SOCKET)
    }

    /// The directory of its data.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join(DATA)
    }

    /// The programs it runs with.
    #[must_use]
    pub fn binaries(&self) -> &PostgresBinaries {
        &self.binaries
    }

    /// The end of its log, at most 16 KiB.
    #[must_use]
    pub fn log(&self) -> String {
        self.home.log()
    }

    /// The id of its first process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }

    /// Whether it runs: it was started, and has not ended since, by itself or by anybody's doing.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| self.home.is_running(process))
    }

    /// Stops it and waits until the last of its processes has ended. A stopped server stays stopped.
    ///
    /// # Errors
    /// When it does not stop within a minute; it may still do so.
    pub fn stop(&mut self, mode: StopMode) -> Result<(), ServerError> {
        let signal = match mode {
            StopMode::Smart => Signal::Terminate,
            StopMode::Fast => Signal::Interrupt,
            StopMode::Immediate => Signal::Quit,
        };
        let Some(process) = &mut self.process else { return Ok(()) };
        if self.home.is_running(process) {
            process.signal(signal).map_err(ServerError::io(format!("signalling {NAME}")))?;
        }
        self.home.wait_gone(process, STOP_LIMIT)?;
        self.process = None;
        Ok(())
    }

    /// Kills its first process with SIGKILL and waits until the others have noticed and ended, so that it can
    /// [start again](Self::start_again). A statement that runs may still come to its end and commit.
    ///
    /// # Errors
    /// When one of its processes does not end within half a minute.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let Some(process) = &mut self.process else { return Ok(()) };
        self.home.kill(process)?;
        self.process = None;
        Ok(())
    }

    /// Starts a stopped or killed server on the same port with the same data; returns when it takes connections.
    ///
    /// # Errors
    /// When it runs, or does not come up.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        if self.is_running() {
            return Err(ServerError::WrongState { server: NAME, state: "runs already" });
        }
        self.stop(StopMode::Immediate)?;
        self.launch()
    }

    fn launch(&mut self) -> Result<(), ServerError> {
        let mut postgres = self.home.command(&self.binaries.program("postgres"));
        postgres.args(["-D", DATA, "-p", &self.port.to_string()]);
        postgres.envs(self.settings.env.iter().map(|(name, value)| (name, value)));
        let mut process = self.home.spawn(&mut postgres)?;
        let status = self.data_dir().join("postmaster.pid");
        let pid = process.id().to_string();
        let start = Instant::now();
        let ready = process.wait_until(START_LIMIT, || is_ready(&status, &pid));
        self.process = Some(process);
        match ready {
            Ready::Yes => Ok(()),
            Ready::Ended => {
                self.stop(StopMode::Immediate)?;
                Err(ServerError::Ended { server: NAME, log: self.log() })
            }
            Ready::NotYet => {
                let (limit, log) = (start.elapsed(), self.log());
                Err(ServerError::NotReady { server: NAME, limit, log })
            }
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // what does not end when asked to is killed: nothing may be left behind
        if self.stop(StopMode::Immediate).is_err() {
            let _ = self.kill();
        }
    }
}

/// Reads the server's own status file: the id of the first process in its first line, the status in its eighth.
fn is_ready(status: &std::path::Path, pid: &str) -> bool {
    let status = fs::read_to_string(status).unwrap_or_default();
    let mut lines = status.lines().map(str::trim);
    lines.next() == Some(pid) && lines.nth(6) == Some("ready")
}
