//! The package manager of the system, as far as it may be used without asking anybody.

use std::{
    env,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::workspace::run;

/// A package manager this knows how to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageManager {
    /// Debian's and Ubuntu's.
    Apt,
    /// Fedora's and its relatives'.
    Dnf,
    /// Alpine's.
    Apk,
    /// Homebrew, for the user that runs it.
    Brew,
}

/// A server that may have to be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL.
    Postgres,
    /// PgBouncer.
    PgBouncer,
    /// NATS.
    Nats,
    /// Chromium.
    Chromium,
}

/// What this process may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// It runs as root.
    Root,
    /// `sudo` makes it root without a password.
    Sudo,
    /// It is an ordinary user.
    None,
}

impl PackageManager {
    /// All of them, in the order they are looked for.
    pub const ALL: [Self; 4] = [Self::Apt, Self::Dnf, Self::Apk, Self::Brew];

    /// The one this machine has.
    #[must_use]
    pub fn of_this_machine() -> Option<Self> {
        let has = |program: &str| {
            let path = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&path).any(|dir| dir.join(program).is_file())
        };
        Self::ALL.into_iter().find(|manager| has(manager.program()))
    }

    /// The words of the command that installs `server`, or `None` without the rights to.
    ///
    /// It never asks: not for a password, not for a confirmation. On Debian it takes what the server cannot do without,
    /// and changes no setting of the system. That its package then makes and may start a cluster `main` is Debian's
    /// custom; nothing here uses or touches it.
    #[must_use]
    pub fn install(self, server: Server, rights: Rights) -> Option<Vec<&'static str>> {
        let options: &[&str] = match self {
            Self::Apt => &["install", "--yes", "--no-install-recommends"],
            Self::Dnf => &["install", "--assumeyes"],
            Self::Apk => &["add", "--no-interactive"],
            Self::Brew => &["install", "--quiet"],
        };
        self.command(options, rights).map(|words| [words, vec![self.package(server)]].concat())
    }

    /// The words of the command that learns which packages there are, where that is a step of its own.
    #[must_use]
    pub fn update(self, rights: Rights) -> Option<Vec<&'static str>> {
        match self {
            Self::Apt | Self::Apk => self.command(&["update"], rights),
            // both look by themselves
            Self::Dnf | Self::Brew => None,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Apt => "apt-get",
            Self::Dnf => "dnf",
            Self::Apk => "apk",
            Self::Brew => "brew",
        }
    }

    fn package(self, server: Server) -> &'static str {
        match (self, server) {
            (Self::Dnf, Server::Postgres) => "postgresql-server",
            (_, Server::Postgres) => "postgresql",
            (_, Server::PgBouncer) => "pgbouncer",
            (_, Server::Nats) => "nats-server",
            (_, Server::Chromium) => "chromium",
        }
    }

    fn command(self, options: &[&'static str], rights: Rights) -> Option<Vec<&'static str>> {
        let start: &[&str] = match (self, rights) {
            // it refuses to run as root
            (Self::Brew, Rights::Root) => return None,
            (Self::Brew, _) => &["env", "HOMEBREW_NO_AUTO_UPDATE=1"],
            (_, Rights::None) => return None,
            // behind sudo, which takes the environment away
            (_, Rights::Root) => &["env", "DEBIAN_FRONTEND=noninteractive"],
            (_, Rights::Sudo) => &["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"],
        };
        Some([start, &[self.program()], options].concat())
    }
}

impl Rights {
    /// What this process may do, found out without a prompt.
    #[must_use]
    pub fn of_this_process() -> Self {
        let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
        if id.is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
            return Self::Root;
        }
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "true"]);
        sudo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if sudo.status().is_ok_and(|status| status.success()) { Self::Sudo } else { Self::None }
    }
}

/// Installs `server` with the package manager of this machine. When that fails and `thorough` is set, the list of
/// packages is brought up to date, and it is tried again.
///
/// # Errors
/// When there is no package manager, or not the right to use it, or it fails.
pub fn install(server: Server, thorough: bool) -> Result<()> {
    let Some(manager) = PackageManager::of_this_machine() else {
        bail!("there is no package manager among {:?}", PackageManager::ALL);
    };
    let rights = Rights::of_this_process();
    let Some(words) = manager.install(server, rights) else {
        bail!("{manager:?} installs nothing with these rights ({rights:?})");
    };
    let first = run_words(&words);
    let (Err(_), true, Some(update)) = (&first, thorough, manager.update(rights)) else {
        return first;
    };
    run_words(&update)?;
    run_words(&words)
}

fn run_words(words: &[&str]) -> Result<()> {
    let (program, args) = words.split_first().expect("every command has a program");
    run(Command::new(program).args(args).stdin(Stdio::null()))
}
