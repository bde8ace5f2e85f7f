//! The layers of the workspace: an arrow points down, never up or sideways, and heavy crates have few who may name them.
//!
//! The page's arrows say what is; these say what may ever be.

use crate::workspace::{Dependency, Package, Workspace, short_name};

/// The directories of members, the lowest layer first. `*` at the end stands for any rest.
pub const LAYERS: [&[&str]; 9] = [
    &["crates/model", "crates/proto"],
    &["crates/persistence"],
    &["crates/host", "crates/placement", "crates/reader"],
    &["crates/store-*", "crates/runtime", "crates/projection"],
    &["crates/saga", "crates/cluster", "crates/telemetry", "crates/publish-nats"],
    &["crates/actum"],
    // what serves a whole engine
    &["crates/publish-websocket"],
    // it sees what it tests, and only programs see it outside their tests
    &["testkit", "testkit/servers"],
    &[
        "crates/admin",
        "crates/cli",
        "crates/bench",
        "crates/simulation",
        "crates/xtask",
        "examples/*",
    ],
];

/// Crates from outside that only the named members may depend on, in tests too.
///
/// `bench` measures beside the bare thing.
pub const GUARDED: [(&str, &[&str]); 4] = [
    ("sqlx", &["crates/store-*", "crates/bench", "examples/*"]),
    ("ractor", &["crates/runtime", "crates/cluster", "testkit", "crates/bench"]),
    ("ractor_cluster", &["crates/cluster", "crates/bench"]),
    ("opentelemetry_sdk", &["crates/telemetry"]),
];

/// What breaks the layers, one sentence each.
#[must_use]
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let packages = workspace.packages.iter();
    packages
        .flat_map(|package| {
            package.dependencies.iter().filter_map(|d| violation(workspace, package, d))
        })
        .collect()
}

fn violation(workspace: &Workspace, package: &Package, dependency: &Dependency) -> Option<String> {
    let (from, to) = (package.short_name(), short_name(&dependency.name));
    if let Some((_, allowed)) = GUARDED.iter().find(|(guarded, _)| *guarded == dependency.name) {
        let is_allowed = allowed.iter().any(|pattern| matches(pattern, &package.dir));
        return (!is_allowed)
            .then(|| format!("{from} -> {to}: only {} may name it", allowed.join(", ")));
    }
    let target = workspace.packages.iter().find(|p| p.name == dependency.name)?;
    if dependency.dev {
        return None;
    }
    match (layer(&package.dir), layer(&target.dir)) {
        (Some(above), Some(below)) if below < above => None,
        (Some(_), Some(_)) => Some(format!("{from} -> {to} does not point down")),
        _ => Some(format!("{from} -> {to}: one of them has no layer, give it one in layers.rs")),
    }
}

fn layer(dir: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.iter().any(|pattern| matches(pattern, dir)))
}

fn matches(pattern: &str, dir: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == dir, |start| dir.starts_with(start))
}
