//! Licences, bans and sources of the dependencies, by cargo-deny and `deny.toml`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Result;

use crate::{
    timeline::Outcome,
    workspace::{Workspace, run},
};

/// The version that is installed where none is found.
const VERSION: &str = "0.20.2";

/// Runs `cargo deny check` without the network, with the cargo-deny of this machine or one built below `target/`.
///
/// # Errors
/// When a dependency breaks a rule of `deny.toml`. A cargo-deny that cannot be had is a skipped step.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let Some(program) = installed(workspace).or_else(|| install(workspace)) else {
        return Ok(Outcome::Skipped(format!(
            "cargo-deny {VERSION} is not installed and could not be"
        )));
    };
    let mut deny = Command::new(program);
    deny.current_dir(&workspace.root).args(["--offline", "check", "--hide-inclusion-graph"]);
    run(deny.args(["bans", "licenses", "sources"]))?;
    Ok(Outcome::Done)
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let starts = |program: &PathBuf| {
        let mut version = Command::new(program);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    let own = tools(workspace).join("bin").join("cargo-deny");
    ["cargo-deny".into(), own].into_iter().find(starts)
}

/// A debug build: it takes a quarter of the time, and the check is over in a moment either way.
fn install(workspace: &Workspace) -> Option<PathBuf> {
    let mut install = workspace.cargo();
    install.args(["install", "cargo-deny", "--version", VERSION, "--locked", "--debug"]);
    if let Err(error) = run(install.arg("--root").arg(tools(workspace))) {
        eprintln!("warning: {error:#}");
    }
    installed(workspace)
}

fn tools(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}
