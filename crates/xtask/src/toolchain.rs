//! The oldest Rust the workspace promises to build with.

use std::{
    env, fmt,
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context, Error, Result, bail};
use toml::{Table, Value};

use crate::{timeline::Outcome, workspace::Workspace};

/// A release of Rust: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32, pub u32);

/// Checks that the Rust in use is at least the promised one, and that every member makes the workspace's promise.
///
/// # Errors
/// When the Rust in use is older, or a member states a `rust-version` of its own or none.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let promised = promised(&workspace.read("Cargo.toml")?)?;
    for package in &workspace.packages {
        inherits(&workspace.read(format!("{}/Cargo.toml", package.dir))?)
            .context(package.name.clone())?;
    }
    let used = in_use()?;
    if used < promised {
        bail!("rustc is {used}, the workspace promises to build with {promised} and later");
    }
    if (used.0, used.1) != (promised.0, promised.1) {
        eprintln!(
            "note: rustc is {used}, so this run does not prove that {promised} builds the workspace"
        );
    }
    Ok(Outcome::Done)
}

/// The `rust-version` that the root manifest hands down.
///
/// # Errors
/// When it states none.
pub fn promised(root: &str) -> Result<Release> {
    let root: Table = toml::from_str(root)?;
    let version =
        root.get("workspace").and_then(|w| w.get("package")?.get("rust-version")?.as_str());
    version.context("the root manifest states no rust-version")?.parse()
}

/// Checks that a member's manifest says `rust-version.workspace = true`.
///
/// # Errors
/// When it says anything else, or nothing.
pub fn inherits(manifest: &str) -> Result<()> {
    let manifest: Table = toml::from_str(manifest)?;
    let stated =
        manifest.get("package").and_then(|package| package.get("rust-version")?.get("workspace"));
    if stated.and_then(Value::as_bool) != Some(true) {
        bail!("its manifest does not say `rust-version.workspace = true`");
    }
    Ok(())
}

fn in_use() -> Result<Release> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").stderr(Stdio::inherit()).output();
    let output = String::from_utf8(output.context("rustc does not start")?.stdout)?;
    output.split_whitespace().nth(1).context("rustc names no version")?.parse()
}

impl FromStr for Release {
    type Err = Error;

    /// Reads `1.95`, `1.95.0`, `1.97.0-nightly`.
    fn from_str(text: &str) -> Result<Self> {
        let stable = text.split('-').next().unwrap_or_default();
        let mut numbers = stable.split('.').map(str::parse);
        let mut number = || {
            numbers
                .next()
                .unwrap_or(Ok(0))
                .with_context(|| format!("{text} is not a release of Rust"))
        };
        Ok(Self(number()?, number()?, number()?))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}
