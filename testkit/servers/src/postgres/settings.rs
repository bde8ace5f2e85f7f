use std::ffi::OsString;

/// How a private server is set up. What is not said here is as PostgreSQL has it.
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresServerSettings {
    pub(crate) fsync: bool,
    pub(crate) max_connections: u16,
    pub(crate) password: Option<String>,
    pub(crate) tls: Option<Tls>,
    pub(crate) hba: Vec<String>,
    pub(crate) conf: Vec<(String, String)>,
    pub(crate) env: Vec<(OsString, OsString)>,
}

/// A server's certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Default for PostgresServerSettings {
    /// 100 connections, no one needs a password, no TLS, and nothing waits for the disk.
    fn default() -> Self {
        Self {
            fsync: false,
            max_connections: 100,
            password: None,
            tls: None,
            hba: Vec::new(),
            conf: Vec::new(),
            env: Vec::new(),
        }
    }
}

impl PostgresServerSettings {
    /// Whether commits wait until they are on the disk. Off by default: tests kill processes, not the machine, and
    /// what a process has written survives it.
    pub fn with_fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// How many connections there may be at once; 100 by default. Three of them are kept for superusers.
    pub fn with_max_connections(mut self, max: u16) -> Self {
        self.max_connections = max;
        self
    }

    /// Asks everybody for a password (`scram-sha-256`), and gives this one to the user `actum`; by default everybody is
    /// trusted.
    pub fn with_password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Offers TLS, with a certificate and its unencrypted key in PEM. Clients that do not want it are let in too,
    /// unless [`with_hba`](Self::with_hba) says otherwise.
    pub fn with_tls(mut self, certificate: impl Into<String>, key: impl Into<String>) -> Self {
        self.tls = Some(Tls { certificate: certificate.into(), key: key.into() });
        self
    }

    /// A line of `pg_hba.conf`, after those given before it. The first takes the place of the lines that let everybody
    /// in from this machine.
    pub fn with_hba(mut self, line: impl Into<String>) -> Self {
        self.hba.push(line.into());
        self
    }

    /// A parameter of `postgresql.conf` and its value, unquoted; it wins over what the other settings say.
    pub fn with_conf(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conf.push((name.into(), value.into()));
        self
    }

    /// An environment variable of the server's processes.
    pub fn with_env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}
