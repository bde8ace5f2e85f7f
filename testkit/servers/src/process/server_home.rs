use std::{
    env, fs,
    fs::{File, OpenOptions},
    io::Write,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    account::Account,
    server_process::{Ready, ServerProcess},
    watchdog::Watchdog,
};
use crate::ServerError;

/// A path to a socket may have 104 bytes on macOS and 108 on Linux; a server adds up to 24 of its own.
const DIRECTORY_BYTES_MAX: usize = 76;

/// How much of a log is shown, in bytes.
const LOG_BYTES_MAX: usize = 16 * 1024;

/// How long a killed server's processes may take to notice.
const GONE_LIMIT: Duration = Duration::from_secs(30);

/// A temporary directory that belongs to the account its server runs as, and the watchdog over both.
#[derive(Debug)]
pub(crate) struct ServerHome {
    server: &'static str,
    account: Account,
    // before the directory, which is then deleted here
    watchdog: Watchdog,
    directory: TempDir,
}

impl ServerHome {
    /// Makes a home for a server called `server`, which `signal` makes end at once.
    pub(crate) fn create(server: &'static str, signal: &str) -> Result<Self, ServerError> {
        let mut parent = env::temp_dir();
        if parent.as_os_str().as_bytes().len() > DIRECTORY_BYTES_MAX - "/actum-123456/socket".len()
        {
            parent = PathBuf::from("/tmp");
        }
        let doing = format!("making a directory in {}", parent.display());
        let directory = tempfile::Builder::new().prefix("actum-").tempdir_in(parent);
        let directory = directory.map_err(ServerError::io(doing))?;
        let account = Account::beside(directory.path())?;
        account.own(directory.path())?;
        let watchdog = Watchdog::start(directory.path(), signal)?;
        Ok(Self { server, account, watchdog, directory })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Makes a directory in it.
    pub(crate) fn make_directory(&self, name: &str) -> Result<(), ServerError> {
        let path = self.path().join(name);
        fs::create_dir(&path).map_err(ServerError::io(format!("making {}", path.display())))?;
        self.account.own(&path)
    }

    /// Writes a file that only the server's account reads; one that is there is replaced.
    pub(crate) fn write(&self, name: &str, contents: &str) -> Result<(), ServerError> {
        let path = self.path().join(name);
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&path)?.write_all(contents.as_bytes())
        };
        write().map_err(ServerError::io(format!("writing {}", path.display())))?;
        self.account.own(&path)
    }

    /// A command that runs here, under the server's account, in plain English and without what `PG…` variables say.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).env("LC_ALL", "C");
        for (name, _) in env::vars_os() {
            if name.as_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        self.account.run(&mut command);
        command
    }

    /// Starts the server.
    pub(crate) fn spawn(&mut self, command: &mut Command) -> Result<ServerProcess, ServerError> {
        let process = self
            .open_log()
            .and_then(|log| ServerProcess::spawn(command, log))
            .map_err(ServerError::io(format!("starting {}", self.server)))?;
        self.watchdog.watch(process.id());
        Ok(process)
    }

    /// Starts the server, and waits until it is ready. One that is not ready in time is killed.
    ///
    /// # Errors
    /// When it ends, or is not ready within `limit`; the message has the end of the log.
    pub(crate) fn start(
        &mut self,
        command: &mut Command,
        limit: Duration,
        ready: impl FnMut() -> bool,
    ) -> Result<ServerProcess, ServerError> {
        let mut process = self.spawn(command)?;
        let (server, ready) = (self.server, process.wait_until(limit, ready));
        if ready == Ready::Yes {
            return Ok(process);
        }
        // also of one that has ended, so that nothing watches over its id; an error means that it has ended
        let _ = self.kill(&mut process);
        let log = self.log();
        Err(match ready {
            Ready::Ended => ServerError::Ended { server, log },
            _ => ServerError::NotReady { server, limit, log },
        })
    }

    /// Whether the server's first process has not ended.
    pub(crate) fn is_running(&mut self, process: &mut ServerProcess) -> bool {
        let running = process.is_running();
        if !running {
            self.watchdog.forget();
        }
        running
    }

    /// Waits until a server that was asked to stop is gone with all of its processes.
    pub(crate) fn wait_gone(
        &mut self,
        process: &mut ServerProcess,
        limit: Duration,
    ) -> Result<(), ServerError> {
        if !process.wait_gone(limit) {
            return Err(ServerError::StillRuns { server: self.server, limit, log: self.log() });
        }
        self.watchdog.forget();
        Ok(())
    }

    /// Kills the server's first process and waits until the others have noticed.
    pub(crate) fn kill(&mut self, process: &mut ServerProcess) -> Result<(), ServerError> {
        process.kill().map_err(ServerError::io(format!("killing {}", self.server)))?;
        self.wait_gone(process, GONE_LIMIT)
    }

    /// The end of the log.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_BYTES_MAX)..]).into_owned()
    }

    /// Begins the log from scratch.
    pub(crate) fn clear_log(&self) {
        // it is there, or there is nothing to clear
        let _ = fs::remove_file(self.log_file());
    }

    fn log_file(&self) -> PathBuf {
        self.path().join("log")
    }

    fn open_log(&self) -> std::io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.log_file())
    }
}
