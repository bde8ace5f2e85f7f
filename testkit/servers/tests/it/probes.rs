//! How tests check servers: through the clients of the machine, and at processes through the shell.

use std::{
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::sync_channel,
    time::{Duration, Instant},
};

use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, ServerError, available,
};

/// How long something may take that happens soon.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A private server, or `None` after a visible skip.
pub(crate) fn server(settings: PostgresServerSettings) -> Option<PostgresServer> {
    let binaries = available(PostgresBinaries::find())?;
    Some(PostgresServer::start(&binaries, settings).unwrap())
}

/// What `psql` prints for a query, or what it complains of. `None` after a visible skip where there is no `psql`.
pub(crate) fn psql(url: &str, query: &str) -> Option<Result<String, String>> {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", query, url]);
    let output = psql.env("PGCONNECT_TIMEOUT", "10").stdin(Stdio::null()).output();
    let output = available(output.map_err(|_| ServerError::NotInstalled {
        program: "psql",
        hint: "install PostgreSQL's client",
    }))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Some(match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    })
}

/// Whether a port of 127.0.0.1 takes connections.
pub(crate) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Whether there is a process of this id that has not ended.
pub(crate) fn lives(pid: u32) -> bool {
    // an orphan that ended stays a zombie where the first process of a container reaps no process
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// Every process that mentions `path` in its command line.
pub(crate) fn processes_of(path: &Path) -> Vec<String> {
    let all = Command::new("ps").args(["-A", "-o", "pid=,stat=,args="]).output().unwrap();
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    let path = path.to_str().unwrap();
    all.lines().filter(|line| line.contains(path)).map(str::to_owned).collect()
}

/// Waits until `condition` holds, which it must soon.
pub(crate) fn soon(what: &str, mut condition: impl FnMut() -> bool) {
    // no one sends: receiving is how a plain thread pauses between two checks
    let (_sender, pause) = sync_channel::<()>(1);
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {SOON:?}");
        let _ = pause.recv_timeout(Duration::from_millis(10));
    }
}
