use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    ServerError,
    executables::{is_program, on_path},
};

/// Names the directory of PostgreSQL's programs, before any other place.
const VARIABLE: &str = "ACTUM_TEST_POSTGRES_BIN";

/// What a server is made with. `psql` and its like may be wrappers on PATH; these are not.
const PROGRAMS: [&str; 2] = ["postgres", "initdb"];

/// Where packages put the programs, the directory and its names below it: Debian, Red Hat, Alpine, Homebrew.
const PLACES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
];

/// PostgreSQL's programs on this machine.
#[derive(Clone, Debug)]
pub struct PostgresBinaries {
    directory: PathBuf,
    version: u32,
}

impl PostgresBinaries {
    /// Finds the programs: where `ACTUM_TEST_POSTGRES_BIN` says, and there alone if it is set; else on PATH, links
    /// resolved; else where the packages of Debian, Red Hat, Alpine and Homebrew put them, the newest version first.
    ///
    /// # Errors
    /// When there are none, or the variable names a directory without them.
    pub fn find() -> Result<Self, ServerError> {
        if let Some(directory) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
            return Self::named(Path::new(&directory));
        }
        Self::on_path().or_else(Self::installed).ok_or(ServerError::NotInstalled {
            program: "PostgreSQL",
            hint: "install its server (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install \
                   postgresql-server; Alpine: apk add postgresql; macOS: brew install postgresql), name the directory \
                   of `postgres` and `initdb` in ACTUM_TEST_POSTGRES_BIN, or name a running server in \
                   ACTUM_TEST_POSTGRES_URL",
        })
    }

    /// The programs in `directory`.
    ///
    /// # Errors
    /// When one of them is not there, or `postgres` does not say its version.
    pub fn within(directory: &Path) -> Result<Self, ServerError> {
        let version = Command::new(directory.join("postgres")).arg("--version").output();
        let version = version.map_err(ServerError::io(format!(
            "running {}",
            directory.join("postgres").display()
        )))?;
        let said = String::from_utf8_lossy(&version.stdout).into_owned();
        match major(&said) {
            Some(version) => Ok(Self { directory: directory.to_owned(), version }),
            None => Err(ServerError::Failed { program: "postgres --version".into(), output: said }),
        }
    }

    /// The major version: 15 of 15.3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The directory the programs are in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of one of the programs. Clients, `psql` and `pg_isready`, may not be there.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn named(directory: &Path) -> Result<Self, ServerError> {
        match PROGRAMS.into_iter().find(|program| !is_program(&directory.join(program))) {
            None => Self::within(directory),
            Some(program) => Err(ServerError::NotInDirectory {
                variable: VARIABLE,
                directory: directory.to_owned(),
                program,
            }),
        }
    }

    fn on_path() -> Option<Self> {
        let places = on_path(PROGRAMS[0]);
        places.iter().filter_map(|place| place.parent()).find_map(Self::complete)
    }

    fn installed() -> Option<Self> {
        let places = PLACES.iter().flat_map(|(parent, start, end)| below(parent, start, end));
        places.filter_map(|place| Self::complete(&place)).max_by_key(Self::version)
    }

    fn complete(directory: &Path) -> Option<Self> {
        let complete = PROGRAMS.into_iter().all(|program| is_program(&directory.join(program)));
        complete.then(|| Self::within(directory).ok()).flatten()
    }
}

/// The directories `<parent>/<start>*/<end>`.
fn below(parent: &str, start: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path().join(end))
        .collect()
}

/// Reads `postgres (PostgreSQL) 15.3 (Debian 15.3-1)`, and `18beta1`.
fn major(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}
