//! The oldest Rust the workspace promises to build with.

use std::{
    env, fmt,
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context, Error, Result, bail};
use toml::{Table, Value};

use crate::{
    timeline::Outcome,
    workspace::{Workspace, run},
};

/// A release of Rust: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32, pub u32);

/// Holds the promise of the oldest Rust: the steps that follow compile with it, or else this one does if rustup has it.
/// With a newer Rust alone it looks at what the dependencies state and says that nothing is proven.
///
/// # Errors
/// As [`promises`]; when the oldest Rust does not build the workspace, or a dependency asks for a newer one.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let (promised, used) = (promises(workspace)?, in_use()?);
    if used < promised {
        bail!("rustc is {used}, the workspace promises to build with {promised} and later");
    }
    if used.same_minor(promised) {
        return Ok(Outcome::Done);
    }
    if let Some(toolchain) = installed(&toolchains(), promised) {
        compile(workspace, &toolchain)?;
        return Ok(Outcome::Done);
    }
    let newer = newer_than(promised, &metadata(workspace)?)?;
    if !newer.is_empty() {
        bail!("the workspace promises to build with {promised}, but {}", newer.join(", "));
    }
    Ok(Outcome::Skipped(format!(
        "not proven on this toolchain: rustc is {used}, and rustup has no {promised}; no dependency states a newer one"
    )))
}

/// Checks that every member makes the workspace's promise, and says which it is.
///
/// # Errors
/// When a member states a `rust-version` of its own or none.
pub fn promises(workspace: &Workspace) -> Result<Release> {
    let promised = promised(&workspace.read("Cargo.toml")?)?;
    for package in &workspace.packages {
        inherits(&workspace.read(format!("{}/Cargo.toml", package.dir))?)
            .context(package.name.clone())?;
    }
    Ok(promised)
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

/// The toolchain of `release`, whatever its patch, in what `rustup toolchain list` says.
#[must_use]
pub fn installed(list: &str, release: Release) -> Option<String> {
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    let of_release = |name: &&str| {
        let numbered = name.starts_with(|first: char| first.is_ascii_digit());
        numbered && name.parse().is_ok_and(|found: Release| found.same_minor(release))
    };
    names.filter(of_release).max().map(str::to_owned)
}

/// The packages in cargo's metadata that state a Rust newer than `release`, a sentence each.
///
/// # Errors
/// When it lists no packages, or one states no release.
pub fn newer_than(release: Release, metadata: &serde_json::Value) -> Result<Vec<String>> {
    let packages = metadata["packages"].as_array().context("no packages in cargo's metadata")?;
    let mut newer = Vec::new();
    for package in packages {
        let Some(stated) = package["rust_version"].as_str() else { continue };
        if stated.parse::<Release>()? > release {
            let name = package["name"].as_str().unwrap_or_default();
            newer.push(format!("{name} asks for {stated}"));
        }
    }
    Ok(newer)
}

/// What rustup has; nothing where there is no rustup.
fn toolchains() -> String {
    let output = Command::new("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// In a directory of its own, so that the two toolchains do not undo each other's work.
fn compile(workspace: &Workspace, toolchain: &str) -> Result<()> {
    let mut check = Command::new("rustup");
    check.current_dir(&workspace.root).env_remove("RUSTC").env_remove("CARGO");
    check.args(["run", toolchain, "cargo", "check", "--workspace", "--all-features", "--locked"]);
    run(check.arg("--target-dir").arg(workspace.target.join("oldest-rust")))
}

/// With every dependency of every platform: cargo must be able to have them all.
fn metadata(workspace: &Workspace) -> Result<serde_json::Value> {
    let mut metadata = workspace.cargo();
    metadata.args(["metadata", "--all-features", "--locked", "--format-version", "1"]);
    let output = metadata.stderr(Stdio::inherit()).output().context("cargo does not start")?;
    if !output.status.success() {
        bail!("cargo metadata failed with {}", output.status);
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn in_use() -> Result<Release> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").stderr(Stdio::inherit()).output();
    let output = String::from_utf8(output.context("rustc does not start")?.stdout)?;
    output.split_whitespace().nth(1).context("rustc names no version")?.parse()
}

impl Release {
    fn same_minor(self, other: Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
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
