use std::{
    fmt::Write,
    io::{BufRead, BufReader},
    net::TcpStream,
    time::Duration,
};

use super::{nats_program::NatsProgram, settings::NatsServerSettings};
use crate::{
    ServerError,
    process::{ServerHome, ServerProcess, Signal, on_free_port},
};

const NAME: &str = "NATS";
const CONFIGURATION: &str = "nats.conf";
const STORE: &str = "jetstream";

/// How long it may take to come up; after a kill it reads its streams first.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A NATS server with JetStream of its owner alone: its own port and its own streams, in files below one temporary directory.
///
/// It asks no one for a password. As root it runs as `postgres` or `nobody`. Dropping it kills it and deletes its directory.
#[derive(Debug)]
pub struct NatsServer {
    program: NatsProgram,
    port: u16,
    process: Option<ServerProcess>,
    home: ServerHome,
}

impl NatsServer {
    /// Finds the program.
    ///
    /// # Errors
    /// When it is not there.
    pub fn find() -> Result<NatsProgram, ServerError> {
        NatsProgram::find()
    }

    /// Starts one; returns when it takes connections and its streams are ready.
    ///
    /// # Errors
    /// When it does not come up; the message has the end of its log.
    pub fn start(
        program: &NatsProgram,
        settings: &NatsServerSettings,
    ) -> Result<Self, ServerError> {
        let home = ServerHome::create(NAME, "KILL")?;
        home.make_directory(STORE)?;
        let mut server = Self { program: program.clone(), port: 0, process: None, home };
        on_free_port("address already in use", |port| {
            server.port = port;
            server.home.clear_log();
            server.home.write(CONFIGURATION, &server.configuration(settings))?;
            server.start_again()
        })?;
        Ok(server)
    }

    /// Kills it, as a crash does. What it has acknowledged is in its files, from which it goes on when it is started again.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let stopped = ServerError::WrongState { server: NAME, state: "does not run" };
        let mut process = self.process.take().ok_or(stopped)?;
        self.home.kill(&mut process)
    }

    /// Starts it on the same port, with the streams it had.
    ///
    /// # Errors
    /// When it runs already, or does not come up; the message has the end of its log.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        if self.process.is_some() {
            return Err(ServerError::WrongState { server: NAME, state: "runs already" });
        }
        let (port, name) = (self.port, self.name());
        let mut command = self.home.command(self.program.path());
        command.args(["-c", CONFIGURATION]);
        let process = self.home.start(&mut command, START_LIMIT, || has_streams(port, &name))?;
        self.process = Some(process);
        Ok(())
    }

    /// Stops it where it is: its connections stay open, and it answers nothing until it [goes on](Self::go_on).
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.signal(Signal::Stop, "stopping NATS where it is")
    }

    /// Lets it go on after a [pause](Self::pause).
    ///
    /// # Errors
    /// When it does not run.
    pub fn go_on(&self) -> Result<(), ServerError> {
        self.signal(Signal::Continue, "letting NATS go on")
    }

    /// What it is called, as no other server on this machine is.
    fn name(&self) -> String {
        let directory = self.home.path().file_name().unwrap_or_default();
        directory.to_string_lossy().into_owned()
    }

    fn configuration(&self, settings: &NatsServerSettings) -> String {
        let (port, store) = (self.port, self.home.path().join(STORE));
        let mut configuration = format!(
            "host: \"127.0.0.1\"\nport: {port}\nserver_name: {:?}\njetstream: {{ store_dir: {:?} }}\n",
            self.name(),
            store.display().to_string()
        );
        for (name, value) in &settings.conf {
            writeln!(configuration, "{name}: {value}").expect("a string takes it all");
        }
        configuration
    }

    fn signal(&self, signal: Signal, doing: &'static str) -> Result<(), ServerError> {
        let stopped = ServerError::WrongState { server: NAME, state: "does not run" };
        let process = self.process.as_ref().ok_or(stopped)?;
        process.signal(signal).map_err(ServerError::io(doing))
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1, the same for its whole life.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The end of its log, at most 16 KiB.
    #[must_use]
    pub fn log(&self) -> String {
        self.home.log()
    }

    /// The id of its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::id)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // it has nothing to save; an error means that it has ended
            let _ = self.home.kill(&mut process);
        }
    }
}

/// Whether the server there is the one of this name, and greets its clients with streams: it greets no one before they are read.
/// Another server may have taken the port.
fn has_streams(port: u16, name: &str) -> bool {
    let greeting = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).ok()?;
        Some(line)
    };
    let name = format!("\"server_name\":\"{name}\"");
    greeting().is_some_and(|line| {
        line.starts_with("INFO ") && line.contains("\"jetstream\":true") && line.contains(&name)
    })
}
