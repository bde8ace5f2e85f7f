use crate::{
    OpenError, PostgresSettings,
    connection::{Connector, Source},
    connections::Connections,
    known_owners::KnownOwners,
    lane_writer::LaneWriter,
    open::{self, Opened},
    texts::Texts,
    tokens::Tokens,
};
use actum_model::Lane;
use actum_persistence::{progress::ProgressStore, store::JournalLayout};
use sqlx::PgPool;
use std::{
    fmt,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};
use tokio::sync::RwLock;

/// A journal in a schema of a PostgreSQL database.
///
/// It keeps every promise of [`actum_persistence::store`], on PostgreSQL 13 and later. Confirmed writes are as durable
/// as the server's `fsync` and `synchronous_commit` make them, where `synchronous_commit = off` is overridden. Many
/// processes can use one journal; only the holder of a writer slot appends, and one that was replaced gets
/// [`StoreError::Fenced`](actum_persistence::store::StoreError::Fenced).
///
/// A server that fails over keeps what was confirmed only if its replica had got it: use synchronous replication, or
/// accept that the last events are lost with the old server. Nothing is built on lost ones: each append shows the last
/// event of the lane it knows, and where that is gone all that is known is forgotten, so that entities conflict and
/// recover instead of growing gaps; a writer that was claimed on the lost history is fenced, and a snapshot of lost
/// events is not used. A reader that had read further than the head sees nothing until positions pass its own: then it
/// must start over.
///
/// Connections are opened when they are needed, and again after a restart of the server; nothing is kept on them
/// between transactions but prepared statements. So a journal also works behind a proxy that pools transactions, see
/// [`PostgresSettings::transaction_pooling`].
///
/// # Examples
/// ```no_run
/// # mod actum { pub use {actum_persistence::store, actum_store_postgres as postgres}; }
/// use actum::postgres::{PostgresSettings, PostgresStore};
/// use actum::store::Stores;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "postgres://bank@localhost/bank";
/// let bank = Stores::of(PostgresStore::connect(url).await?);
///
/// let settings = PostgresSettings::default()
///     .with_schema("audit")
///     .with_connections_max(4);
/// let audit = PostgresStore::connect_with(url, settings).await?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    address: String,
    layout: JournalLayout,
    pub(crate) shared: Shared,
    lanes: Vec<LaneWriter>,
    /// Made when it is asked for.
    pub(crate) progress: OnceLock<Arc<dyn ProgressStore>>,
}

/// What every call needs.
pub(crate) struct Shared {
    pub(crate) connections: Connections,
    pub(crate) texts: Texts,
    pub(crate) tokens: Tokens,
    pub(crate) owners: KnownOwners,
    /// Held by those who write what members own, and alone by those who change that: they wait for each other in the database
    /// anyway, and a write that reads there what is owned finds it changed whenever a change waits in between.
    pub(crate) owner_changes: RwLock<()>,
    /// The first key of this journal's locks.
    pub(crate) lock_space: i32,
    /// Whether the functions that save time can be called, see `schema/shortcuts.rs`.
    pub(crate) shortcuts: AtomicBool,
}

impl Shared {
    pub(crate) fn connector(&self) -> &Connector {
        self.connections.connector()
    }
}

impl PostgresStore {
    /// Opens the journal in the schema `actum` of the database at `url`, and creates it if there is none; with the
    /// default settings.
    ///
    /// `postgres://user:password@host:port/database?sslmode=verify-full`: as
    /// [libpq](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING) has it, with `sslmode`,
    /// `sslrootcert`, `sslcert`, `sslkey`, `host` (a directory for a Unix socket), `application_name` and `options` as
    /// parameters. A parameter that is not known is refused, so that none is misspelt in vain. What is not said is
    /// taken from libpq's environment variables, such as `PGPASSWORD`.
    ///
    /// # Errors
    /// [`OpenError`] when the database cannot be reached or used as a journal.
    ///
    /// # Cancel safety
    /// As [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::connect_with(url, PostgresSettings::default()).await
    }

    /// As [`connect`](Self::connect), with `settings`.
    ///
    /// # Errors
    /// [`OpenError`] when the settings are not valid, or the database cannot be reached or used as a journal.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the schema as it was, or migrated.
    pub async fn connect_with(url: &str, settings: PostgresSettings) -> Result<Self, OpenError> {
        Self::open(open::source(url)?, settings).await
    }

    /// As [`connect_with`](Self::connect_with), with the connections of `pool`.
    ///
    /// Those that append are kept while the store is open, one for each lane that is written to; they are set up for it
    /// and closed in the end. So the pool may open at least one more than the journal has lanes. The others go back to
    /// the pool after each call, with nothing changed on them. The pool's own time to acquire a connection bounds
    /// waiting too.
    ///
    /// # Errors
    /// As [`connect_with`](Self::connect_with).
    ///
    /// # Cancel safety
    /// As [`connect_with`](Self::connect_with).
    pub async fn with_pool(pool: PgPool, settings: PostgresSettings) -> Result<Self, OpenError> {
        Self::open(Source::Pool(pool), settings).await
    }

    async fn open(source: Source, settings: PostgresSettings) -> Result<Self, OpenError> {
        let Opened { address, connector, texts, layout, lock_space, shortcuts } =
            open::open(source, settings).await?;
        let remembered = connector.settings.remembered_entities;
        let lanes = (0..layout.lanes.get()).map(|_| LaneWriter::new(remembered)).collect();
        let connections = Connections::new(connector);
        let (tokens, shortcuts) = (Tokens::default(), AtomicBool::new(shortcuts));
        let (owners, owner_changes) = (KnownOwners::default(), RwLock::default());
        let shared =
            Shared { connections, texts, tokens, owners, owner_changes, lock_space, shortcuts };
        Ok(Self { address, layout, shared, lanes, progress: OnceLock::new() })
    }

    /// Where the journal is, without the password: `postgres://bank@localhost:5432/bank, schema actum`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn layout(&self) -> JournalLayout {
        self.layout
    }

    /// What appends to `lane`, which the journal has.
    pub(crate) fn lane(&self, lane: Lane) -> &LaneWriter {
        &self.lanes[lane.index()]
    }

    /// Finishes what is under way and closes the connections; as
    /// [`EventStore::close`](actum_persistence::store::EventStore::close).
    ///
    /// # Cancel safety
    /// Dropping the future leaves some of them open; closing again closes the rest, and so does dropping the store.
    pub async fn close(&self) {
        for lane in &self.lanes {
            lane.close().await;
        }
        self.shared.connections.close().await;
        if let Some(progress) = self.progress.get() {
            progress.close().await;
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("address", &self.address)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
