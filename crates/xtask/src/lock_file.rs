//! Crates that nothing may be built with, on any platform and under any feature.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::{timeline::Outcome, workspace::Workspace};

/// A second TLS provider makes rustls panic at its first use; OpenSSL must be installed by hand.
pub const FORBIDDEN: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

/// Reads the workspace's lock file. Where that holds a forbidden crate it may still be one that no feature turns on: a
/// `crate?/feature` of another crate brings the crate into the lock file, and into no build. So cargo is asked.
///
/// # Errors
/// When a forbidden crate is locked and built; all are named.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let mut found = Vec::new();
    for name in forbidden(&workspace.read("Cargo.lock")?)? {
        if is_built(workspace, name)? {
            found.push(name);
        }
    }
    if !found.is_empty() {
        bail!(
            "built with {}: find who brings it with `cargo tree --workspace --all-features --target all -i <crate>`",
            found.join(", ")
        );
    }
    Ok(Outcome::Done)
}

/// Whether anything of the workspace is built with the locked crate `name`, on any platform, with all features.
///
/// # Errors
/// When cargo does not know, or has no such crate in its lock file.
pub fn is_built(workspace: &Workspace, name: &str) -> Result<bool> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--locked", "--workspace", "--all-features", "--target", "all"]);
    let output = tree.args(["--edges", "all", "--invert", name]).stdin(Stdio::null()).output();
    let output = output.context("cargo does not start")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // it prints nothing about a crate that is locked only
    Ok(!output.stdout.trim_ascii().is_empty())
}

/// The forbidden crates among the packages of a lock file.
///
/// # Errors
/// When the text is not a lock file.
pub fn forbidden(lock: &str) -> Result<Vec<&'static str>> {
    let lock: toml::Table = toml::from_str(lock)?;
    let Some(packages) = lock.get("package").and_then(toml::Value::as_array) else {
        bail!("the lock file lists no package");
    };
    let locked = |name: &str| {
        packages.iter().any(|p| p.get("name").and_then(toml::Value::as_str) == Some(name))
    };
    Ok(FORBIDDEN.into_iter().filter(|name| locked(name)).collect())
}
