//! The program itself, in processes of its own.

use std::{
    ffi::OsStr,
    path::Path,
    process::{ExitStatus, Output, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// A bank that serves in a process of its own. The process is killed when this is dropped.
pub(crate) struct Program {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

/// The program, to be started with these arguments.
pub(crate) fn command<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
    // the servers of tests need not survive a power cut, and say so
    let log = "warn,actum_store_postgres::open=error";
    command.args(args).stdin(Stdio::null()).kill_on_drop(true).env("RUST_LOG", log);
    command
}

/// Runs the program to its end.
pub(crate) async fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    command(args).output().await.unwrap()
}

impl Program {
    /// Starts a bank that keeps its accounts in this file; it need not have begun to serve.
    pub(crate) fn start(database: &Path) -> Self {
        Self::serve([OsStr::new("--database"), database.as_os_str()])
    }

    /// Starts a bank on a port of the system's choice; it need not have begun to serve.
    pub(crate) fn serve<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        Self::complaining(args, Stdio::inherit())
    }

    /// As [`Program::serve`], with somewhere to write its logs and complaints.
    pub(crate) fn complaining<S: AsRef<OsStr>>(
        args: impl IntoIterator<Item = S>,
        to: impl Into<Stdio>,
    ) -> Self {
        let mut command = command(["serve", "--listen", "127.0.0.1:0"]);
        let command = command.args(args).stdout(Stdio::piped()).stderr(to);
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, output }
    }

    /// Starts a process that keeps the list and the statements with a bank; it need not have begun to.
    pub(crate) fn begin_to_project<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = command(["project"]);
        let mut process = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, output }
    }

    /// As [`Program::begin_to_project`], and waits until it has begun.
    pub(crate) async fn project<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut this = Self::begin_to_project(args);
        let line = this.line().await.expect("it does not end before it projects");
        assert!(line.starts_with("projecting "), "{line}");
        this
    }

    /// Starts a bank that waits until another one ends, and waits until it does.
    pub(crate) async fn standby<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut command = command(["serve", "--listen", "127.0.0.1:0", "--standby"]);
        let command = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.env("RUST_LOG", "actum_runtime=info").spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut logs = BufReader::new(process.stderr.take().unwrap()).lines();
        loop {
            let line = logs.next_line().await.unwrap().expect("it waits and does not end");
            if line.contains("waiting for the writer slot") {
                break;
            }
        }
        // it must not be kept by what it writes
        tokio::spawn(async move { while let Ok(Some(_)) = logs.next_line().await {} });
        Self { process, output }
    }

    /// The next line it prints; none if it has ended.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.output.next_line().await.unwrap()
    }

    /// Waits until it serves, and says where.
    pub(crate) async fn url(&mut self) -> String {
        let line = self.line().await.expect("it does not end before it serves");
        line.strip_prefix("listening on ").expect("its first line says where it is").to_owned()
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id().expect("it has not ended")
    }

    /// Kills it with SIGKILL, and waits until it is dead.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Sends it a signal it can handle, such as `TERM`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.id();
        // the shell's own `kill`: the program of that name is not on every machine
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {id}")).status();
        assert!(sent.await.unwrap().success());
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        self.process.wait().await.unwrap()
    }
}
