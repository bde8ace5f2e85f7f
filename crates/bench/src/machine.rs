use std::{fs, path::Path, process::Command, thread};

/// Where and of what the numbers are.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) system: String,
    pub(crate) commit: String,
    pub(crate) file_system: String,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// Looks at this machine, and at the file system of `directory`.
    pub(crate) fn look(directory: &Path) -> Self {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let system = format!("{} {}", std::env::consts::OS, kernel());
        let file_system = file_system(directory).unwrap_or_else(|| UNKNOWN.to_owned());
        Self { cores, processor: processor(), system, commit: commit(), file_system }
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or(UNKNOWN, |model| model.trim_start_matches([' ', '\t', ':'])).to_owned()
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

/// The commit of the sources, with a mark when they have changed since.
fn commit() -> String {
    let git = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let said = git.ok().filter(|output| output.status.success());
    said.map_or(UNKNOWN.to_owned(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

/// The type of the file system with the longest mount point above `directory`.
pub(crate) fn file_system(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        directory.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    above.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}
