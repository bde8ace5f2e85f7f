//! Every feature alone, and none: a feature only adds, and needs no other to compile.

use anyhow::Result;

use crate::{
    timeline::Outcome,
    workspace::{Workspace, run},
};

/// Lints each member that has features once without any and once with each of them.
///
/// Clippy rather than check: what a feature leaves unused is a warning, and here an error.
///
/// # Errors
/// When one of the combinations does not compile without warnings.
pub fn check(workspace: &Workspace) -> Result<Outcome> {
    for package in workspace.packages.iter().filter(|package| !package.features.is_empty()) {
        let alone = package.features.iter().map(String::as_str);
        for feature in std::iter::once("").chain(alone) {
            let mut clippy = workspace.cargo();
            clippy.args([
                "clippy",
                "--locked",
                "--package",
                &package.name,
                "--no-default-features",
            ]);
            if !feature.is_empty() {
                clippy.args(["--features", feature]);
            }
            run(clippy.args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(Outcome::Done)
}
