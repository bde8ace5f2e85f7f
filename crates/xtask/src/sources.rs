//! Rules for source files that no lint knows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// More lines than this are more than one idea. Tests, benches and generated code may be longer.
pub const LINES_MAX: usize = 400;

/// What no file has, tests included, and what to do instead. In pieces, or this file would have it.
pub const FORBIDDEN: [(&str, &str); 4] = [
    (concat!("thread", "::sleep"), "wait for the event itself"),
    (concat!("#[", "ignore"), "run the test, or delete it"),
    (concat!("todo", "!("), "write it, or leave the item out"),
    (concat!("unimplemented", "!("), "write it, or leave the item out"),
];

/// All Rust files below `root`, hidden directories and `target` left out, in the order of their paths.
///
/// # Errors
/// When a directory cannot be read.
pub fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in
            fs::read_dir(&dir).with_context(|| format!("{} is not readable", dir.display()))?
        {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                dirs.push(path);
            } else if path.is_file() && name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong with one file, one sentence each. `file` is its path below the root.
#[must_use]
pub fn faults(file: &Path, source: &str) -> Vec<String> {
    let name = file.display();
    let mut faults = Vec::new();
    let lines = source.lines().count();
    if lines > LINES_MAX && !may_be_long(file) {
        faults.push(format!("{name}: {lines} lines, at most {LINES_MAX}: split it"));
    }
    for (nr, line) in
        source.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
    {
        let found = FORBIDDEN.iter().filter(|(forbidden, _)| line.contains(forbidden));
        faults.extend(
            found.map(|(forbidden, instead)| format!("{name}:{}: {forbidden}: {instead}", nr + 1)),
        );
    }
    faults
}

fn may_be_long(file: &Path) -> bool {
    file.iter()
        .any(|part| ["tests", "benches", "gen", "generated"].iter().any(|name| part == *name))
}
