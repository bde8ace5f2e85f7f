//! A new data directory, before a server first runs on it.

use std::fmt::Write;

use super::{binaries::PostgresBinaries, settings::PostgresServerSettings};
use crate::{ServerError, process::ServerHome};

/// The data directory in a server's home, and the folder of its sockets.
pub(crate) const DATA: &str = "data";
pub(crate) const SOCKET: &str = "socket";

/// The user that owns a private server.
pub(crate) const USER: &str = "actum";

/// Makes the data directory and writes the server's configuration.
pub(crate) fn prepare(
    home: &ServerHome,
    binaries: &PostgresBinaries,
    settings: &PostgresServerSettings,
) -> Result<(), ServerError> {
    home.make_directory(SOCKET)?;
    initdb(home, binaries, settings)?;
    // included last, so that it is the last word
    home.write("data/actum.conf", &configuration(settings))?;
    let conf = home.path().join(DATA).join("postgresql.conf");
    let text = std::fs::read_to_string(&conf)
        .map_err(ServerError::io(format!("reading {}", conf.display())))?;
    home.write("data/postgresql.conf", &format!("{text}\ninclude 'actum.conf'\n"))?;
    if !settings.hba.is_empty() {
        home.write("data/pg_hba.conf", &format!("{}\n", settings.hba.join("\n")))?;
    }
    if let Some(tls) = &settings.tls {
        home.write("data/server.crt", &tls.certificate)?;
        home.write("data/server.key", &tls.key)?;
    }
    Ok(())
}

fn initdb(
    home: &ServerHome,
    binaries: &PostgresBinaries,
    settings: &PostgresServerSettings,
) -> Result<(), ServerError> {
    let mut initdb = home.command(&binaries.program("initdb"));
    initdb.args([
        "--no-sync",
        "--encoding=UTF8",
        "--locale=C",
        "--username",
        USER,
        "--pgdata",
        DATA,
    ]);
    match &settings.password {
        None => initdb.arg("--auth=trust"),
        Some(password) => {
            home.write("password", &format!("{password}\n"))?;
            initdb.args(["--auth=scram-sha-256", "--pwfile=password"])
        }
    };
    let output = initdb.output().map_err(ServerError::io("starting initdb".to_owned()))?;
    if output.status.success() {
        return Ok(());
    }
    let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ServerError::Failed { program: "initdb".into(), output })
}

fn configuration(settings: &PostgresServerSettings) -> String {
    let mut conf = String::new();
    let mut set = |name: &str, value: &str| {
        writeln!(conf, "{name} = '{}'", value.replace('\'', "''")).expect("a string takes it all");
    };
    set("listen_addresses", "127.0.0.1");
    set("unix_socket_directories", &format!("../{SOCKET}"));
    set("fsync", if settings.fsync { "on" } else { "off" });
    set("max_connections", &settings.max_connections.to_string());
    set("ssl", if settings.tls.is_some() { "on" } else { "off" });
    settings.conf.iter().for_each(|(name, value)| set(name, value));
    conf
}
