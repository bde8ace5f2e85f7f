//! What users depend on can be published: each crate is packaged, and builds from its package alone.

use std::fs;

use anyhow::Result;

use crate::{
    timeline::Outcome,
    workspace::{Package, Workspace, run},
};

/// What a package must hold beside its code.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// How the description of a crate begins that users meet through `actum` alone.
const INTERNAL: &str = "Internal to Actum";

/// What the readme of such a crate says.
const USE_ACTUM: &str = "use [`actum`]";

/// What published members lack on the pages of a registry, one sentence each: documentation with all features, and for an
/// internal crate a readme of its own that sends its reader to `actum`.
///
/// # Errors
/// When a readme cannot be read.
pub fn shortcomings(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in published(workspace) {
        let Package { name, dir, readme, .. } = package;
        if !package.documented_whole {
            found.push(format!("{name} is not documented with all features on docs.rs"));
        }
        if package.description.starts_with(INTERNAL) {
            let is_own = !readme.contains("..");
            if !is_own || !workspace.read(format!("{dir}/{readme}"))?.contains(USE_ACTUM) {
                found.push(format!("{name} is internal and has no readme of its own that says so"));
            }
        }
    }
    Ok(found)
}

/// Packages each member that is published, and builds it from what is in the package.
///
/// # Errors
/// When a package lacks a file, names a crate that is not published, or does not build by itself.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    if let [first, ..] = &shortcomings(workspace)?[..] {
        anyhow::bail!("{first}");
    }
    for package in published(workspace) {
        let mut list = workspace.cargo();
        list.args(["package", "--list", "--locked", "--allow-dirty", "--package", &package.name]);
        let listed = String::from_utf8(list.output()?.stdout)?;
        if let Some(missing) = FILES.iter().find(|file| !listed.lines().any(|line| line == **file))
        {
            anyhow::bail!("the package of {} has no {missing}", package.name);
        }
    }
    // cargo keeps what it has unpacked of a member under the path of its build and the member's version, and takes that
    // instead of the package the next time: so each time has a path of its own
    fs::create_dir_all(&workspace.target)?;
    let unshared = tempfile::Builder::new().prefix("packages-").tempdir_in(&workspace.target)?;
    let mut packaging = workspace.cargo();
    packaging.args(["package", "--locked", "--allow-dirty", "--no-metadata", "--target-dir"]);
    packaging.arg(unshared.path()).env_remove("CARGO_BUILD_BUILD_DIR");
    for package in published(workspace) {
        packaging.args(["--package", &package.name]);
    }
    run(&mut packaging)?;
    Ok(Outcome::Done)
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.packages.iter().filter(|package| package.published)
}
