//! `cargo xtask ci`: every check that is not a test, the cheap ones first, ended by a table of durations.

use anyhow::Result;

use crate::{
    bank_smoke, deny, features, lock_file, packages,
    timeline::{Outcome, Timeline},
    toolchain,
    workspace::{Workspace, run as run_command},
};

/// Runs the steps until one fails, and prints how long each took.
///
/// # Errors
/// The first failed step's, with its name.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut timeline = Timeline::default();
    let result = steps(workspace, &mut timeline);
    eprintln!("\n{timeline}");
    result
}

fn steps(workspace: &Workspace, timeline: &mut Timeline) -> Result<()> {
    timeline.step("format", || cargo(workspace, &["fmt", "--all", "--check"]))?;
    // for all platforms: the steps behind it look at the whole graph, cargo-deny without the network
    timeline.step("fetch", || cargo(workspace, &["fetch", "--locked"]))?;
    timeline.step("lock file", || lock_file::check(workspace))?;
    timeline.step("rust version", || toolchain::check(workspace))?;
    timeline.step("cargo deny", || deny::check(workspace))?;
    timeline.step("clippy", || clippy(workspace))?;
    timeline.step("documentation", || documentation(workspace))?;
    timeline.step("features", || features::check(workspace))?;
    timeline.step("packages", || packages::check(workspace))?;
    timeline.step("bank", || bank_smoke::run(workspace).map(|()| Outcome::Done))
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    cargo(
        workspace,
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ],
    )
}

fn documentation(workspace: &Workspace) -> Result<Outcome> {
    let mut doc = workspace.cargo();
    doc.args(["doc", "--workspace", "--all-features", "--no-deps", "--locked"]);
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Done)
}

fn cargo(workspace: &Workspace, args: &[&str]) -> Result<Outcome> {
    run_command(workspace.cargo().args(args))?;
    Ok(Outcome::Done)
}
