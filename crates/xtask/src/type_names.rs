//! One name, one type: what a struct, an enum, a trait or an alias is called, no other one is called beside it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    sources::rust_files,
    use_paths::{is_of_name, without_comments_and_tests},
};

/// The crates that are read together, since one engine consists of them: a name is there once among them all.
pub const READ_TOGETHER: [&str; 8] = [
    "crates/cluster",
    "crates/host",
    "crates/model",
    "crates/persistence",
    "crates/placement",
    "crates/projection",
    "crates/reader",
    "crates/runtime",
];

/// The crates in each of which a name is there once.
pub const READ_ALONE: [&str; 10] = [
    "crates/actum",
    "crates/bench",
    "crates/simulation",
    "crates/store-memory",
    "crates/store-postgres",
    "crates/store-sqlite",
    "crates/xtask",
    "examples/bank",
    "testkit",
    "testkit/servers",
];

/// Where the types of each name are.
#[derive(Debug, Default)]
pub struct TypeNames(BTreeMap<String, Vec<String>>);

impl TypeNames {
    /// Adds the sources of a crate, whose directory is `dir` below `root`; tests left out.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn add_crate(&mut self, root: &Path, dir: &str) -> Result<()> {
        for file in rust_files(&root.join(dir).join("src"))? {
            let below = file.strip_prefix(root).context("a file below the root")?;
            let source = fs::read_to_string(&file)
                .with_context(|| format!("{} is not readable", file.display()))?;
            self.add(below, &source);
        }
        Ok(())
    }

    /// Adds the types of one file.
    pub fn add(&mut self, file: &Path, source: &str) {
        if file.iter().any(|part| part == "tests" || part == "tests.rs") {
            return;
        }
        for name in without_comments_and_tests(source).lines().filter_map(defined) {
            self.0.entry(name.to_owned()).or_default().push(file.display().to_string());
        }
    }

    /// The names that several types have, one sentence each.
    #[must_use]
    pub fn repeated(&self) -> Vec<String> {
        let repeated = self.0.iter().filter(|(_, files)| files.len() > 1);
        repeated.map(|(name, files)| format!("`{name}` is in {}", files.join(" and "))).collect()
    }
}

/// The name of the type that a line defines. Items of a module are not indented, associated types are.
fn defined(line: &str) -> Option<&str> {
    let item = match line.strip_prefix("pub(") {
        Some(within) => within.split_once(") ")?.1,
        None => line.strip_prefix("pub ").unwrap_or(line),
    };
    let keywords = ["struct ", "enum ", "trait ", "type ", "union "];
    let rest = keywords.iter().find_map(|keyword| item.strip_prefix(keyword))?;
    let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
    Some(&rest[..end])
}
