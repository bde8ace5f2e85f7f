//! Where programs are.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Whether `path` is a file that may be run.
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Every place of `program` on PATH, links resolved, in the order of PATH.
pub(crate) fn on_path(program: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).map(|dir| dir.join(program));
    places.filter(|place| is_program(place)).filter_map(|place| place.canonicalize().ok()).collect()
}
