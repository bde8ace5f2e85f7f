use std::{
    env, process,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    binaries::PostgresBinaries,
    postgres_server::PostgresServer,
    settings::PostgresServerSettings,
    url::{with_database, without_user},
};
use crate::{
    ServerError,
    requirement::{available, chain},
};

/// Names the server for tests; its user may create databases.
const VARIABLE: &str = "ACTUM_TEST_POSTGRES_URL";

/// The server that the tests of one process share: the one `ACTUM_TEST_POSTGRES_URL` names, else a private one.
///
/// Each test makes databases or schemas of its own in it, with names from [`unique_name`]. A test that kills its server
/// or sets it up starts a [`PostgresServer`] of its own.
#[derive(Debug)]
pub struct TestPostgres {
    url: String,
    // ended by its watchdog: statics are not dropped
    server: Option<PostgresServer>,
}

impl TestPostgres {
    /// The shared server. `None` when it cannot be had, and then a line `SKIPPED: …` says why; the test returns.
    ///
    /// The first call in a process starts it, if it must be started; that takes about a second.
    ///
    /// # Panics
    /// When it cannot be had and [`servers_required`](crate::servers_required).
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Result<TestPostgres, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::find_or_start().map_err(|error| chain(&error)));
        available(
            shared.as_ref().map_err(|reason| ServerError::NoShared { reason: reason.clone() }),
        )
    }

    /// The URL of a database in it, which may have to be created first.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        with_database(&self.url, database).expect("the URL was checked when this was made")
    }

    /// The URL to create databases with: the one that was given, or that of the database `postgres`.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.url
    }

    /// The server itself, when this process started it for itself alone.
    #[must_use]
    pub fn private(&self) -> Option<&PostgresServer> {
        self.server.as_ref()
    }

    fn find_or_start() -> Result<Self, ServerError> {
        if let Some(url) = env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Self::given(url);
        }
        let server =
            PostgresServer::start(&PostgresBinaries::find()?, PostgresServerSettings::default())?;
        Ok(Self { url: server.url("postgres"), server: Some(server) })
    }

    fn given(url: String) -> Result<Self, ServerError> {
        if with_database(&url, "").is_none() {
            let value = without_user(&url);
            return Err(ServerError::InvalidUrl { variable: VARIABLE, value });
        }
        Ok(Self { url, server: None })
    }
}

/// A name for a database or a schema that no other test uses, in this process or in another: `start`, then lower-case
/// letters, digits and `_`. `start` has at most 20 characters.
#[must_use]
pub fn unique_name(start: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // a process id comes back on a machine that runs long, and the server may be one that its owner keeps
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{start}_{:x}_{:x}_{count}", since.as_micros(), process::id())
}
