//! A child process that is watched through what it prints.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Lines of a child that wait to be looked at; what comes beyond is printed only.
const LINES_MAX: usize = 1024;

/// A running child. Its standard output goes on to ours; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command. `name` is what errors call it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("{name} does not start"))?;
        let output = child.stdout.take().context("the output of a child is piped")?;
        let (line_tx, lines) = sync_channel(LINES_MAX);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                println!("{line}");
                // a full queue must not stop the child; the one that waits for a line asks early
                let _ = line_tx.try_send(line);
            }
        });
        Ok(Self { name: name.to_owned(), child, lines })
    }

    /// Waits for a line that starts with `prefix` and gives the rest of it.
    ///
    /// # Errors
    /// When the child ends or `limit` passes without one.
    pub fn line_after(&self, prefix: &str, limit: Duration) -> Result<String> {
        let deadline = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(rest) = line.strip_prefix(prefix) {
                        return Ok(rest.trim().to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} did not print `{prefix}` within {limit:?}", self.name)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} ended and never printed `{prefix}`", self.name)
                }
            }
        }
    }

    /// Asks the child to stop, with SIGTERM.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn terminate(&self) -> Result<()> {
        // the shell's own `kill`: std has none, and the program of that name is not on every machine
        let kill =
            Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        if !kill.context("sh does not start")?.success() {
            bail!("{} cannot be signalled", self.name);
        }
        Ok(())
    }

    /// Waits until the child ends, which it must do with code 0.
    ///
    /// # Errors
    /// When it fails, or still runs after `limit`; then it is killed.
    pub fn succeed(mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => bail!("{} still runs after {limit:?}", self.name),
                // its output is closed, so it has ended or is about to
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait()?;
        if !status.success() {
            bail!("{} failed with {status}", self.name);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // both fail when it has ended and was waited for, which is what is wanted
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
