use anyhow::{Context, Result, ensure};
use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use tokio::io::AsyncReadExt;

/// This program once more, which serves what is called from here. It ends when this is dropped.
pub(super) struct OtherProcess {
    child: Child,
    /// What it has said when it was ready: where it is reached.
    pub(super) address: String,
}

impl OtherProcess {
    pub(super) fn start(what: &str, place: &Path) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["--serve-remote", what, "--directory"])
            .arg(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("its output is a pipe")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        let other = Self { child, address: address.trim().to_owned() };
        ensure!(!other.address.is_empty(), "the other process has said nothing");
        Ok(other)
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait(); // it ends by itself
    }
}

/// Says where this process is reached, and waits until the one that has started it is done.
pub(super) async fn serve_until_done(address: impl std::fmt::Display) -> Result<()> {
    println!("{address}");
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await?;
    Ok(())
}
