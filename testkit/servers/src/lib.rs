//! Real servers for tests, private to the process that starts them.
//!
//! * [`PostgresServer`] is a PostgreSQL of its own: a fresh directory, a free port, a socket folder; gone when dropped.
//! * [`TestPostgres`] is the one server that the tests of a process share: the one they were given, or a private one.
//! * [`NatsServer`] is a NATS server with JetStream of its own.
//! * [`Browser`] is a Chromium without a window, for tests of pages.
//! * [`PgBouncer`] stands in front of a server and pools by transaction.
//! * [`available`] turns what cannot be had into a visible skip, or a failure where servers are required; [`optional`]
//!   never into a failure.
//!
//! Nothing here touches a database of the machine. A server ends with its owner in every way an owner can end: a `sh`
//! beside each server reads a pipe that only the owner holds open, and when it closes unannounced stops the server and
//! deletes its directory. Unix only.
//!
//! # Examples
//! ```no_run
//! use actum_test_servers::{PostgresBinaries, PostgresServer, PostgresServerSettings};
//!
//! let binaries = PostgresBinaries::find()?;
//! let settings = PostgresServerSettings::default().with_conf("log_statement", "all");
//! let mut server = PostgresServer::start(&binaries, settings)?;
//! println!("{}", server.url("postgres"));
//! server.kill()?;
//! server.start_again()?;
//! # Ok::<(), actum_test_servers::ServerError>(())
//! ```

mod browser;
mod executables;
mod nats;
mod pgbouncer;
mod postgres;
mod process;
mod requirement;
mod server_error;

pub use browser::{Browser, ChromiumProgram};
pub use nats::{NatsProgram, NatsServer, NatsServerSettings};
pub use pgbouncer::{PgBouncer, PgBouncerProgram, PgBouncerSettings};
pub use postgres::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, StopMode, TestPostgres, unique_name,
};
pub use requirement::{available, optional, servers_required};
pub use server_error::ServerError;
