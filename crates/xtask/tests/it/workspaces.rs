//! The real workspace, and small made-up ones.

use std::path::PathBuf;

use xtask::workspace::{Dependency, Package, Workspace};

pub(crate) fn real() -> Workspace {
    Workspace::load().expect("cargo lists the members")
}

/// Members as `(directory, what they depend on)`; a dependency that ends in `?` is for tests only.
/// Names follow from directories the way they do here.
pub(crate) fn made_up(members: &[(&str, &[&str])]) -> Workspace {
    let packages = members.iter().map(|(dir, dependencies)| Package {
        name: format!("actum-{}", dir.rsplit('/').next().expect("rsplit gives at least one part")),
        dir: (*dir).to_owned(),
        dependencies: dependencies.iter().map(|name| dependency(name)).collect(),
        ..Package::default()
    });
    Workspace { root: PathBuf::new(), target: PathBuf::new(), packages: packages.collect() }
}

fn dependency(name: &str) -> Dependency {
    let dev = name.ends_with('?');
    Dependency { name: name.trim_end_matches('?').to_owned(), dev }
}
