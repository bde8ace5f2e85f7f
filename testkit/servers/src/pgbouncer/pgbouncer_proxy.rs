use std::{fmt::Write, net::TcpStream, time::Duration};

use super::{program::PgBouncerProgram, settings::PgBouncerSettings};
use crate::{
    PostgresServer, ServerError,
    process::{ServerHome, ServerProcess, on_free_port},
};

const NAME: &str = "PgBouncer";
const CONFIGURATION: &str = "pgbouncer.ini";

/// How long it may take to come up.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A PgBouncer in front of a [`PostgresServer`]: it gives a client a connection for one transaction at a time.
///
/// It asks no one for a password and is the server's superuser `actum` for every client, whatever name they give.
/// Dropping it kills it and deletes its directory; the server is not touched.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    process: ServerProcess,
    home: ServerHome,
}

impl PgBouncer {
    /// Finds the program. Machines need not have it: tests take it through [`optional`](crate::optional).
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<PgBouncerProgram, ServerError> {
        PgBouncerProgram::find()
    }

    /// Starts one in front of `server`; returns when it takes connections. The server need not run.
    ///
    /// # Errors
    /// When it does not come up; the message has the end of its log.
    pub fn start(
        program: &PgBouncerProgram,
        server: &PostgresServer,
        settings: &PgBouncerSettings,
    ) -> Result<Self, ServerError> {
        on_free_port("ddress already in use", |port| {
            let mut home = ServerHome::create(NAME, "KILL")?;
            home.write(CONFIGURATION, &configuration(port, server, settings))?;
            let mut command = home.command(program.path());
            let connects = || TcpStream::connect(("127.0.0.1", port)).is_ok();
            let process = home.start(command.arg(CONFIGURATION), START_LIMIT, connects)?;
            Ok(Self { port, process, home })
        })
    }

    /// The URL of a database of the server behind it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://actum@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The end of its log, at most 16 KiB.
    #[must_use]
    pub fn log(&self) -> String {
        self.home.log()
    }

    /// The id of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // it has nothing to save; an error means that it has ended
        let _ = self.home.kill(&mut self.process);
    }
}

fn configuration(port: u16, server: &PostgresServer, settings: &PgBouncerSettings) -> String {
    let password = server
        .password()
        .map_or(String::new(), |password| format!(" password='{}'", password.replace('\'', "''")));
    let mut ini = format!(
        "[databases]\n* = host={} port={} user={}{password}\n\n[pgbouncer]\n",
        server.host(),
        server.port(),
        server.user()
    );
    let mut set = |name: &str, value: &str| {
        writeln!(ini, "{name} = {value}").expect("a string takes it all");
    };
    set("listen_addr", "127.0.0.1");
    set("listen_port", &port.to_string());
    set("unix_socket_dir", "");
    set("auth_type", "any");
    set("pool_mode", "transaction");
    set("default_pool_size", &settings.default_pool_size.to_string());
    set("max_client_conn", &settings.max_client_connections.to_string());
    // sent by drivers at the start of every connection; PgBouncer refuses what it does not know
    set("ignore_startup_parameters", "extra_float_digits");
    settings.conf.iter().for_each(|(name, value)| set(name, value));
    ini
}
