//! No module of a crate names one that names it again, directly or through others: then each can be read by itself.
//!
//! Looked at are the modules at the root of a crate, by what their files name behind `crate::`, tests left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};

use crate::sources::rust_files;

/// The crates whose modules form no circle: their directories below the root.
pub const FREE_OF_CIRCLES: [&str; 2] = ["crates/bench", "crates/runtime"];

/// For each module at the root of a crate what it names there: modules, and types that the root exports again.
#[derive(Debug, Default)]
pub struct ModuleArrows {
    named: BTreeMap<String, BTreeSet<String>>,
    /// The module of each type that the root exports again.
    exported: BTreeMap<String, String>,
}

impl ModuleArrows {
    /// Reads the sources of a crate.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of_crate(dir: &Path) -> Result<Self> {
        let src = dir.join("src");
        let mut arrows = Self::default();
        for file in rust_files(&src)? {
            let below = file.strip_prefix(&src).context("a file below the directory")?;
            let source = fs::read_to_string(&file)
                .with_context(|| format!("{} is not readable", file.display()))?;
            arrows.add(below, &source);
        }
        Ok(arrows)
    }

    /// Adds what one file names; `file` is its path below `src`.
    pub fn add(&mut self, file: &Path, source: &str) {
        let Some(first) = file.iter().next() else { return };
        let module = first.to_string_lossy().trim_end_matches(".rs").to_owned();
        if module == "lib" {
            self.exported.extend(exported(source));
        } else {
            self.named.entry(module).or_default().extend(named(source));
        }
    }

    /// One circle, as the modules on it in order, the first one again at the end; `None` if there is none.
    #[must_use]
    pub fn circle(&self) -> Option<Vec<&str>> {
        self.named
            .keys()
            .find_map(|module| self.way_back(module, &mut vec![module], &mut BTreeSet::new()))
    }

    /// The module that a name behind `crate::` is of.
    fn module_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let module = self.exported.get(name).map_or(name, String::as_str);
        self.named.contains_key(module).then_some(module)
    }

    /// The way from the end of `way` back to `start`, as long as it leads through no module of `seen`.
    fn way_back<'a>(
        &'a self,
        start: &str,
        way: &mut Vec<&'a str>,
        seen: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        let from = *way.last()?;
        for to in self.named.get(from)?.iter().filter_map(|name| self.module_of(name)) {
            if to == from {
                continue;
            }
            way.push(to);
            if to == start {
                return Some(way.clone());
            }
            if seen.insert(to)
                && let Some(circle) = self.way_back(start, way, seen)
            {
                return Some(circle);
            }
            way.pop();
        }
        None
    }
}

/// What the root of a crate exports again, and the module of each.
fn exported(source: &str) -> Vec<(String, String)> {
    let mut exported = Vec::new();
    for behind in source.split("pub use ").skip(1) {
        let Some((path, _)) = behind.split_once(';') else { continue };
        let Some((module, rest)) = path.split_once("::") else { continue };
        let names = rest.trim_start_matches('{').trim_end_matches('}').split(',');
        exported.extend(names.map(|name| (name.trim().to_owned(), module.to_owned())));
    }
    exported
}

/// The names right behind `crate::`, one or several in braces.
fn named(source: &str) -> BTreeSet<String> {
    let code: Vec<_> = source.lines().map(|line| line.split("//").next().unwrap_or("")).collect();
    let code = code.join("\n");
    let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or("");
    let mut names = BTreeSet::new();
    for behind in code.split("crate::").skip(1) {
        match behind.strip_prefix('{') {
            Some(group) => names.extend(group_heads(group)),
            None => names.extend(head(behind)),
        }
    }
    names
}

/// The first name of each path of a group, up to the brace that closes it.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut path, mut heads) = (0usize, String::new(), Vec::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(head(std::mem::take(&mut path).trim())),
            _ if depth == 0 => path.push(c),
            _ => {}
        }
    }
    heads.extend(head(path.trim()));
    heads
}

/// The name at the beginning, if there is one.
fn head(path: &str) -> Option<String> {
    let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}
