//! Where the banks of a test keep their accounts.

use actum::{
    SqliteStore,
    postgres::{PostgresSettings, PostgresStore},
    store::Stores,
};
use actum_test_servers::{
    PostgresBinaries, PostgresServer, PostgresServerSettings, TestPostgres, available, unique_name,
};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;

/// How long a bank that was killed keeps the next one out of a PostgreSQL database.
pub(crate) const LEASE: Duration = Duration::from_millis(500);
/// The same where no other may take over from a bank that lives: a busy machine may keep it from renewing for a while.
pub(crate) const LONG_LEASE: Duration = Duration::from_secs(4);

/// A journal of a test's own.
pub(crate) enum Place {
    File(TempDir),
    /// A schema of a database; behind a proxy that pools by transaction, or not.
    Postgres {
        url: String,
        schema: String,
        pooled: bool,
        lease: Duration,
    },
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    /// A schema in the server that tests share; none where no server can be had, and then that was said.
    pub(crate) fn postgres() -> Option<Self> {
        Some(Self::on(TestPostgres::shared()?.admin_url()))
    }

    /// A schema in this database.
    pub(crate) fn on(url: &str) -> Self {
        let (url, schema) = (url.to_owned(), unique_name("bank"));
        Self::Postgres { url, schema, pooled: false, lease: LEASE }
    }

    /// As [`Place::on`], where the database is behind a proxy that pools by transaction.
    pub(crate) fn behind_proxy(url: &str) -> Self {
        let (url, schema) = (url.to_owned(), unique_name("bank"));
        Self::Postgres { url, schema, pooled: true, lease: LEASE }
    }

    /// The same with [`LONG_LEASE`].
    pub(crate) fn with_long_lease(self) -> Self {
        match self {
            Self::Postgres { url, schema, pooled, .. } => {
                Self::Postgres { url, schema, pooled, lease: LONG_LEASE }
            }
            file @ Self::File(_) => file,
        }
    }

    /// What a bank is started with.
    pub(crate) fn args(&self) -> Vec<String> {
        let mut args = self.database_args();
        if let Self::Postgres { lease, .. } = self {
            args.extend(["--writer-lease".to_owned(), format!("{}ms", lease.as_millis())]);
        }
        args
    }

    /// What any process is started with that uses the database.
    pub(crate) fn database_args(&self) -> Vec<String> {
        match self {
            Self::File(_) => vec!["--database".to_owned(), self.path().display().to_string()],
            Self::Postgres { url, schema, pooled, .. } => {
                let args = ["--database", url, "--schema", schema];
                let pooled = pooled.then_some("--transaction-pooling");
                args.into_iter().chain(pooled).map(str::to_owned).collect()
            }
        }
    }

    /// Opens the journal beside whatever bank there is.
    pub(crate) async fn stores(&self) -> Stores {
        match self {
            Self::File(_) => SqliteStore::open(self.path()).await.unwrap().into(),
            Self::Postgres { url, schema, pooled, .. } => {
                let settings = PostgresSettings::default()
                    .with_schema(schema)
                    .with_transaction_pooling(*pooled);
                PostgresStore::connect_with(url, settings).await.unwrap().into()
            }
        }
    }

    /// How long a bank takes at most, as a rule, until it serves.
    pub(crate) fn start_time(&self) -> Duration {
        match self {
            Self::File(_) => Duration::from_millis(40),
            Self::Postgres { lease, .. } => *lease + Duration::from_millis(150),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File(directory) => directory.path().join("bank.db"),
            Self::Postgres { .. } => unreachable!("a schema is no file"),
        }
    }
}

/// A server of a test's own, for what is done to it; none where it cannot be had, and then that was said.
pub(crate) fn own_server(settings: PostgresServerSettings) -> Option<PostgresServer> {
    let binaries = available(PostgresBinaries::find())?;
    available(PostgresServer::start(&binaries, settings))
}
