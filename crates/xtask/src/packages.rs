//! What users depend on can be published: each crate is packaged, and builds from its package alone.

use anyhow::Result;

use crate::{
    timeline::Outcome,
    workspace::{Package, Workspace, run},
};

/// What a package must hold beside its code.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Packages each member that is published, and builds it from what is in the package.
///
/// # Errors
/// When a package lacks a file, names a crate that is not published, or does not build by itself.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    for package in published(workspace) {
        let mut list = workspace.cargo();
        list.args(["package", "--list", "--locked", "--allow-dirty", "--package", &package.name]);
        let listed = String::from_utf8(list.output()?.stdout)?;
        if let Some(missing) = FILES.iter().find(|file| !listed.lines().any(|line| line == **file))
        {
            anyhow::bail!("the package of {} has no {missing}", package.name);
        }
    }
    let mut packaging = workspace.cargo();
    packaging.args(["package", "--locked", "--allow-dirty", "--no-metadata"]);
    for package in published(workspace) {
        packaging.args(["--package", &package.name]);
    }
    run(&mut packaging)?;
    Ok(Outcome::Done)
}

fn published(workspace: &Workspace) -> impl Iterator<Item = &Package> {
    workspace.packages.iter().filter(|package| package.published)
}
