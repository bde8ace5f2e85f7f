//! Crates that the lock file must not hold, on any platform and under any feature.

use anyhow::{Result, bail};

use crate::{timeline::Outcome, workspace::Workspace};

/// A second TLS provider makes rustls panic at its first use; OpenSSL must be installed by hand.
pub const FORBIDDEN: [&str; 3] = ["ring", "openssl-sys", "native-tls"];

/// Reads the workspace's lock file. It needs no tool, so it holds where cargo-deny cannot be had.
///
/// # Errors
/// When a forbidden crate is locked; all are named.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    let found = forbidden(&workspace.read("Cargo.lock")?)?;
    if !found.is_empty() {
        bail!(
            "Cargo.lock holds {}: find who brings it with `cargo tree --workspace -i <crate>`",
            found.join(", ")
        );
    }
    Ok(Outcome::Done)
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
