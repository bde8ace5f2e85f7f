//! No module of a crate names one beside it that names it again, directly or through others: then each can be read by
//! itself.
//!
//! Looked at is each directory, by what the files at and below its entries name behind `crate::` and `super::`, tests left
//! out. A module and those below it are one idea and may name each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};

use crate::{
    sources::rust_files,
    use_paths::{self, Import, UsePath},
};

/// The crates whose modules form no circle: their directories below the root.
pub const FREE_OF_CIRCLES: [&str; 16] = [
    "crates/bench",
    "crates/cluster",
    "crates/host",
    "crates/persistence",
    "crates/placement",
    "crates/runtime",
    "crates/projection",
    "crates/publish-nats",
    "crates/publish-websocket",
    "crates/reader",
    "crates/simulation",
    "crates/store-memory",
    "crates/store-postgres",
    "crates/store-sqlite",
    "crates/xtask",
    "testkit",
];

/// The names of a module from the root of its crate, which has none.
type Module = Vec<String>;

/// What the modules of a crate name.
#[derive(Debug, Default)]
pub struct ModuleArrows {
    sources: BTreeMap<Module, Source>,
}

#[derive(Debug, Default)]
struct Source {
    named: Vec<UsePath>,
    imports: Vec<Import>,
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
        let path = file.with_extension("");
        let mut module: Module =
            path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        if module.iter().any(|name| name == "tests") {
            return;
        }
        let is_root = module.len() == 1 && matches!(&*module[0], "lib" | "main");
        if is_root || module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        for above in 0..module.len() {
            self.sources.entry(module[..above].to_vec()).or_default();
        }
        let known = self.sources.entry(module).or_default();
        known.named.extend(use_paths::named(source));
        known.imports.extend(use_paths::imports(source));
    }

    /// The circles, one of each directory that has any: the modules on it in order, the first one again at the end.
    #[must_use]
    pub fn circles(&self) -> Vec<Vec<String>> {
        let mut named: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        for (from, source) in &self.sources {
            for to in source.named.iter().filter_map(|path| self.module_of(from, path, 0)) {
                let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
                if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                    let beside = named.entry(&from[..shared]).or_default();
                    beside.entry(a.as_str()).or_default().insert(b.as_str());
                }
            }
        }
        let circles = named.into_iter().filter_map(|(dir, named)| {
            let circle = named.keys().find_map(|module| {
                way_back(&named, module, &mut vec![*module], &mut BTreeSet::new())
            })?;
            let whole = |name: &str| [dir, &[name.to_owned()]].concat().join("/");
            Some(circle.into_iter().map(whole).collect())
        });
        circles.collect()
    }

    /// The module that a path is of, as `from` names it; `None` for one outside of the crate. `depth` counts the imports
    /// it has led through.
    fn module_of(&self, from: &[String], path: &[String], depth: usize) -> Option<&Module> {
        if depth > self.sources.len() {
            return None; // imports of each other
        }
        let (start, mut rest) = match path.first()?.as_str() {
            "crate" => (&from[..0], &path[1..]),
            "self" => (from, &path[1..]),
            "super" => (from, path),
            first => {
                self.sources.get(&[from, &[first.to_owned()]].concat())?;
                (from, path)
            }
        };
        let mut at = start.to_vec();
        while let Some((name, behind)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
                rest = behind;
                continue;
            }
            at.push(name.clone());
            if self.sources.contains_key(&at) {
                rest = behind;
                continue;
            }
            at.pop();
            let import = self.sources.get(&at)?.imports.iter().find(|import| import.name == *name);
            let through = import.and_then(|import| {
                let whole = [&import.path[..], behind].concat();
                self.module_of(&at, &whole, depth + 1)
            });
            return through.or_else(|| Some(self.sources.get_key_value(&at)?.0));
        }
        Some(self.sources.get_key_value(&at)?.0)
    }
}

/// The way from the end of `way` back to `start`, as long as it leads through no module of `seen`.
fn way_back<'a>(
    named: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    start: &str,
    way: &mut Vec<&'a str>,
    seen: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    let from = *way.last()?;
    for to in named.get(from)? {
        way.push(to);
        if *to == start {
            return Some(way.clone());
        }
        if seen.insert(to)
            && let Some(circle) = way_back(named, start, way, seen)
        {
            return Some(circle);
        }
        way.pop();
    }
    None
}
