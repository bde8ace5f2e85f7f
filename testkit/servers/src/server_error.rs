use std::{io, path::PathBuf, time::Duration};

/// Why there is no server, or not in the state that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A program is nowhere on this machine.
    #[error("{program} is not installed; {hint}")]
    NotInstalled {
        /// What is missing.
        program: &'static str,
        /// How to get it.
        hint: &'static str,
    },

    /// An environment variable points to a directory without the programs it should hold.
    #[error("{variable} is {}, which holds no {program}", directory.display())]
    NotInDirectory {
        /// The variable.
        variable: &'static str,
        /// What it says.
        directory: PathBuf,
        /// What is not there.
        program: &'static str,
    },

    /// An environment variable says something that cannot be used.
    #[error("{variable} is {value:?}, which is no URL of a PostgreSQL server")]
    InvalidUrl {
        /// The variable.
        variable: &'static str,
        /// What it says, without user and password.
        value: String,
    },

    /// The server that the tests of this process share could not be had.
    #[error("no PostgreSQL for the tests: {reason}")]
    NoShared {
        /// Why not.
        reason: String,
    },

    /// Root runs no servers, and there is no other account.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither an account `postgres` nor `nobody`"
    )]
    NoAccount,

    /// The operating system refused something.
    #[error("{doing} failed")]
    Io {
        /// What was tried.
        doing: String,
        /// How it was refused.
        #[source]
        source: io::Error,
    },

    /// A program that prepares a server failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Its name.
        program: String,
        /// What it said.
        output: String,
    },

    /// A server ended when it should have come up.
    #[error("{server} ended before it was ready; its log ends with:\n{log}")]
    Ended {
        /// Its name.
        server: &'static str,
        /// The end of its log.
        log: String,
    },

    /// A server did not come up in time.
    #[error("{server} was not ready after {limit:?}; its log ends with:\n{log}")]
    NotReady {
        /// Its name.
        server: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// The end of its log.
        log: String,
    },

    /// A server did not stop in time, or some of its processes did not.
    #[error("{server} still ran {limit:?} after it was asked to stop; its log ends with:\n{log}")]
    StillRuns {
        /// Its name.
        server: &'static str,
        /// How long it was waited for.
        limit: Duration,
        /// The end of its log.
        log: String,
    },

    /// Something was asked of a server that does not run, or that only a stopped one can do.
    #[error("{server} {state}")]
    WrongState {
        /// Its name.
        server: &'static str,
        /// What it does instead of what is needed.
        state: &'static str,
    },
}

impl ServerError {
    /// Names what was tried when the operating system refused it.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Io { doing, source }
    }
}
