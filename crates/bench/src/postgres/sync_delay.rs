use anyhow::{Context, Result, ensure};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A library that a server is started with, which makes its disk slower.
///
/// It sleeps behind the real call, so it does not show what a disk does whose queue is full.
#[derive(Debug)]
pub(super) struct SyncDelay {
    delay: Duration,
    /// Holds the library.
    directory: TempDir,
}

const SOURCE: &str = include_str!("sync_delay.c");

impl SyncDelay {
    /// Builds the library with the C compiler of this machine.
    pub(super) fn build(directory: &Path, delay: Duration) -> Result<Self> {
        // the server may run under another account
        let mut builder = tempfile::Builder::new();
        let directory = builder.permissions(Permissions::from_mode(0o755)).tempdir_in(directory)?;
        let source = directory.path().join("sync_delay.c");
        fs::write(&source, SOURCE)?;
        let built = Self { delay, directory };
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(built.library()).arg(source).arg("-ldl");
        let output = cc.output().context("a delay of fsync takes a C compiler, `cc`")?;
        ensure!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
        fs::set_permissions(built.library(), Permissions::from_mode(0o755))?;
        Ok(built)
    }

    /// What the server's environment has to say.
    pub(super) fn env(&self) -> [(&'static str, String); 2] {
        let library = self.library().to_string_lossy().into_owned();
        [("LD_PRELOAD", library), ("ACTUM_SYNC_DELAY_MICROS", self.delay.as_micros().to_string())]
    }

    fn library(&self) -> PathBuf {
        self.directory.path().join("sync_delay.so")
    }
}
