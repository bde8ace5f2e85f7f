//! Who depends on whom, as ARCHITECTURE.md says and as the manifests say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::{
    layers::GUARDED,
    workspace::{Package, Workspace, short_name},
};

const OPEN: &str = "\n```arrows\n";
const CLOSE: &str = "```";

/// For each member the members and the guarded crates that it names outside its tests.
///
/// Members go by their short names, without `actum-`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrows(BTreeMap<String, BTreeSet<String>>);

impl Arrows {
    /// Reads the block of a page that is fenced as `arrows`: one line a member, `persistence -> model proto`.
    ///
    /// # Errors
    /// When there is not exactly one such block, or a line of it is not an arrow or is there twice.
    pub fn of_page(page: &str) -> Result<Self> {
        let mut blocks = page.split(OPEN).skip(1);
        let block = blocks.next().context("no block fenced as `arrows`")?;
        if blocks.next().is_some() {
            bail!("more than one block fenced as `arrows`");
        }
        let (block, _) = block.split_once(CLOSE).context("the block of arrows does not end")?;
        let mut arrows = Self::default();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            let (from, to) =
                line.split_once("->").with_context(|| format!("not an arrow: {line}"))?;
            let to = to.split_whitespace().map(str::to_owned).collect();
            if arrows.0.insert(from.trim().to_owned(), to).is_some() {
                bail!("more than one line for {}", from.trim());
            }
        }
        Ok(arrows)
    }

    /// Reads the manifests. Development dependencies are no arrows: a test may look anywhere.
    #[must_use]
    pub fn of_manifests(workspace: &Workspace) -> Self {
        let members: BTreeSet<_> = workspace.packages.iter().map(Package::short_name).collect();
        let drawn = |name: &str| {
            members.contains(name) || GUARDED.iter().any(|(guarded, _)| *guarded == name)
        };
        let arrows = workspace.packages.iter().map(|package| {
            let named = package.dependencies.iter().filter(|d| !d.dev).map(|d| short_name(&d.name));
            let to = named.filter(|name| drawn(name)).map(str::to_owned).collect();
            (package.short_name().to_owned(), to)
        });
        Self(arrows.collect())
    }

    /// What the page and the manifests do not agree on, one sentence each.
    #[must_use]
    pub fn disagreements(page: &Self, manifests: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (from, to) in &manifests.0 {
            match page.0.get(from) {
                None => found.push(format!("{from} is a member and has no line on the page")),
                Some(on_page) => {
                    found.extend(
                        to.difference(on_page)
                            .map(|to| format!("{from} -> {to} is not on the page")),
                    );
                    found.extend(
                        on_page
                            .difference(to)
                            .map(|to| format!("{from} -> {to} is in no manifest")),
                    );
                }
            }
        }
        let unknown = page.0.keys().filter(|name| !manifests.0.contains_key(*name));
        found.extend(unknown.map(|name| format!("{name} has a line on the page and is no member")));
        found
    }
}
