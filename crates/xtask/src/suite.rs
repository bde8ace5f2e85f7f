//! `cargo xtask test`: all tests, after what they need on this machine is in place.

use std::{
    env,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    servers::{self, Servers},
    workspace::Workspace,
};

/// Runs `cargo test` and says nothing after it, so that its closing lines are the last.
///
/// Without arguments: every library, program, integration and documentation test of the workspace with all
/// features on, to the end even when one fails. Benches are not run.
///
/// # Errors
/// When something the tests need is missing, or cargo does not start; a failed test is an exit code.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<ExitCode> {
    let servers = prepare(workspace, args)?;
    let mut test = workspace.cargo();
    test.arg("test");
    if args.is_empty() {
        test.args(["--workspace", "--all-features", "--no-fail-fast"]);
    }
    servers.pass_to(&mut test);
    let status = test.args(args).status().context("cargo does not start")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Brings about what the tests need; the servers live until they are dropped.
fn prepare(workspace: &Workspace, args: &[String]) -> Result<Servers> {
    c_compiler(&env::var("CC").unwrap_or_else(|_| "cc".to_owned()))?;
    if servers::needed(workspace, args) { Servers::bring() } else { Ok(Servers::default()) }
}

/// Checks that the C compiler `cc` (a command, perhaps with arguments) is there: SQLite is built from its source.
///
/// # Errors
/// When it does not run; the message says how to get one.
pub fn c_compiler(cc: &str) -> Result<()> {
    let mut words = cc.split_whitespace();
    let program = words.next().unwrap_or("cc");
    let mut version = Command::new(program);
    version.args(words).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        bail!(
            "no C compiler: `{cc}` does not run, and SQLite is built from its C source. \
             Install one (Debian, Ubuntu: apt-get install build-essential; Fedora: dnf install gcc; \
             macOS: xcode-select --install), or name yours in CC"
        );
    }
    Ok(())
}
