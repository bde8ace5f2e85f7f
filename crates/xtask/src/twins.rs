//! What the two SQL stores have alike, as ARCHITECTURE.md says and as their sources are.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::sources::rust_files;

const OPEN: &str = "\n```twins\n";
const CLOSE: &str = "```";

/// Where the twins are, from the root of the workspace.
pub const TWINS: [&str; 2] = ["crates/store-sqlite/src", "crates/store-postgres/src"];

/// Names of files, relative to the sources and without `.rs`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Twins(BTreeSet<String>);

impl Twins {
    /// Reads the block of a page that is fenced as `twins`: names, separated by white space.
    ///
    /// # Errors
    /// When there is not exactly one such block, or a name is there twice.
    pub fn of_page(page: &str) -> Result<Self> {
        let mut blocks = page.split(OPEN).skip(1);
        let block = blocks.next().context("no block fenced as `twins`")?;
        if blocks.next().is_some() {
            bail!("more than one block fenced as `twins`");
        }
        let (block, _) = block.split_once(CLOSE).context("the block of twins does not end")?;
        let mut twins = Self::default();
        for name in block.split_whitespace() {
            if !twins.0.insert(name.to_owned()) {
                bail!("`{name}` is there twice");
            }
        }
        Ok(twins)
    }

    /// The names that the files below both directories have in common.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn of_sources(first: &Path, second: &Path) -> Result<Self> {
        Ok(Self::of_files(&files_below(first)?, &files_below(second)?))
    }

    /// The names that files of both have in common, which are relative to their directory.
    #[must_use]
    pub fn of_files(first: &[String], second: &[String]) -> Self {
        Self(first.iter().filter(|name| second.contains(name)).cloned().collect())
    }

    /// What the page and the sources do not agree on, one sentence each.
    #[must_use]
    pub fn disagreements(page: &Self, sources: &Self) -> Vec<String> {
        let missing = sources.0.difference(&page.0);
        let missing = missing.map(|name| format!("both have `{name}`, which is not on the page"));
        let gone = page.0.difference(&sources.0);
        let gone = gone.map(|name| format!("`{name}` is on the page, and not in both"));
        missing.chain(gone).collect()
    }
}

fn files_below(dir: &Path) -> Result<Vec<String>> {
    let name = |file: PathBuf| -> Result<String> {
        let below = file.strip_prefix(dir)?.with_extension("");
        Ok(below.to_str().context("a name that is not UTF-8")?.replace('\\', "/"))
    };
    rust_files(dir)?.into_iter().map(name).collect()
}
