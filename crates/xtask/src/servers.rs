//! The servers that tests need: found, or installed, and one PostgreSQL started for all of them. Tests start the others
//! themselves.

use std::{env, ffi::OsString, process::Command};

use actum_test_servers::{
    Browser, NatsServer, PgBouncer, PostgresBinaries, PostgresServer, PostgresServerSettings,
    ServerError, servers_required,
};
use anyhow::{Context, Error, Result};

use crate::{
    package_manager::{self, Server},
    workspace::Workspace,
};

/// Names a server to test on; where it is set, nothing is installed or started.
const URL: &str = "ACTUM_TEST_POSTGRES_URL";

/// Names the directory of PostgreSQL's programs.
const BIN: &str = "ACTUM_TEST_POSTGRES_BIN";

/// The package that starts servers: who depends on it, if only for tests, needs some.
const STARTER: &str = "actum-test-servers";

/// Connections that tests may have at once, in all of their processes together.
const CONNECTIONS_MAX: u16 = 300;

/// What tests are given, and the server that ends when this is dropped.
#[derive(Debug, Default)]
pub struct Servers {
    variables: Vec<(&'static str, OsString)>,
    _postgres: Option<PostgresServer>,
}

impl Servers {
    /// Finds or installs what the tests need and starts a PostgreSQL for them, unless `ACTUM_TEST_POSTGRES_URL` names
    /// one. Where there can be none it says so in a line; the tests that need one skip.
    ///
    /// # Errors
    /// When there can be none and `ACTUM_REQUIRE_SERVERS` is set, or `ACTUM_TEST_POSTGRES_BIN` names a directory
    /// without the programs.
    pub fn bring() -> Result<Self> {
        if env::var_os(URL).is_some_and(|url| !url.is_empty()) {
            return Ok(Self::default());
        }
        let binaries = match PostgresBinaries::find() {
            Err(ServerError::NotInstalled { .. }) => install_postgres(),
            found => Ok(found?),
        };
        bring("NATS", NatsServer::find().is_ok(), Server::Nats)?;
        bring("Chromium", Browser::find().is_ok(), Server::Chromium)?;
        match binaries.and_then(|binaries| Self::start(&binaries)) {
            Ok(servers) => {
                let is_there = PgBouncer::find().is_ok();
                bring("PgBouncer", is_there, Server::PgBouncer).map(|()| servers)
            }
            Err(error) if servers_required() => Err(error.context("no PostgreSQL for the tests")),
            Err(error) => {
                let reason = one_line(&error);
                eprintln!("no PostgreSQL for the tests, those that need it are skipped: {reason}");
                Ok(Self::default())
            }
        }
    }

    /// Passes to a command, and what it starts, where the servers are.
    pub fn pass_to(&self, command: &mut Command) {
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    fn start(binaries: &PostgresBinaries) -> Result<Self> {
        let settings = PostgresServerSettings::default().with_max_connections(CONNECTIONS_MAX);
        let server = PostgresServer::start(binaries, settings)?;
        let variables = vec![
            (URL, server.url("postgres").into()),
            (BIN, binaries.directory().as_os_str().to_owned()),
        ];
        Ok(Self { variables, _postgres: Some(server) })
    }
}

/// Whether `cargo test` with these arguments runs tests that need servers; in doubt it does.
///
/// Only arguments that select packages by their names, and none but such as need no server, say that it does not.
#[must_use]
pub fn needed(workspace: &Workspace, args: &[String]) -> bool {
    let selected = selected(args);
    selected.is_empty() || selected.iter().any(|name| needs_servers(workspace, name))
}

fn needs_servers(workspace: &Workspace, name: &str) -> bool {
    let package = workspace.packages.iter().find(|package| package.name == name);
    // what is no name of a member may be a pattern
    package.is_none_or(|package| {
        package.name == STARTER || package.dependencies.iter().any(|d| d.name == STARTER)
    })
}

/// The values of `-p` and `--package`, however they are written; those behind `--` are the test programs'.
fn selected(args: &[String]) -> Vec<&str> {
    let mut selected = Vec::new();
    let mut args = args.iter().map(String::as_str).take_while(|arg| *arg != "--");
    while let Some(arg) = args.next() {
        if arg == "-p" || arg == "--package" {
            selected.extend(args.next());
        } else if let Some(name) = arg.strip_prefix("--package=") {
            selected.push(name);
        } else if let Some(name) = arg.strip_prefix("-p") {
            selected.push(name.trim_start_matches('='));
        }
    }
    selected
}

fn install_postgres() -> Result<PostgresBinaries> {
    package_manager::install(Server::Postgres, true)
        .context("PostgreSQL is not installed and cannot be")?;
    Ok(PostgresBinaries::find()?)
}

/// Installs a server that tests start themselves, if it is not there.
fn bring(name: &str, is_there: bool, server: Server) -> Result<()> {
    if is_there {
        return Ok(());
    }
    match package_manager::install(server, servers_required()) {
        Err(error) if servers_required() => Err(error.context(format!("no {name} for the tests"))),
        Err(error) => {
            let reason = one_line(&error);
            eprintln!("no {name} for the tests, those that need it are skipped: {reason}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A server's log may be quoted in an error.
fn one_line(error: &Error) -> String {
    format!("{error:#}").trim().replace('\n', " | ")
}
