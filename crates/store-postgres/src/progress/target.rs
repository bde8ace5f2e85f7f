use super::{
    PostgresTransaction, change::Changing, database::ProgressDatabase, marked::Marked, unavailable,
    verdict::DOING,
};
use crate::{
    Migrate, OpenError, PostgresSettings,
    connection::Source,
    fault::{Fault, commit_error},
    open,
    transaction::{Failed, Statements},
};
use actum_persistence::{
    progress::{ExactTarget, ProgressChange, ProgressStore, SaveError},
    store::StoreError,
};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The schema that holds the progress of projections unless another one is named.
const SCHEMA: &str = "actum_projections";

/// How long a rollback may take before its connection is closed instead: a statement of a handler that was given up may
/// still run.
const ROLLBACK_MAX: Duration = Duration::from_secs(1);
/// How long the server waits for the commit behind the save, which has the segment locked: a process that is stopped in between
/// keeps others from it for no longer.
const COMMIT_IDLE_MAX: Duration = Duration::from_secs(2);

/// A PostgreSQL database that projections write to, and that keeps their progress beside: exactly once, for rows and
/// progress are one transaction.
///
/// Its tables are in a schema of their own, `actum_projections` unless [`with_schema`](Self::with_schema) says otherwise,
/// and are created when it is used first. Who reads two journals into one database gives each a schema: projections of one
/// name would share their progress.
///
/// # Handlers
/// A handler gets a connection in a transaction, `READ COMMITTED`. What it begins inside by sqlx's means is a savepoint. It
/// leaves `COMMIT` and `ROLLBACK` to the target: a transaction that it has ended, or in which an error of SQL was swallowed,
/// is [`SaveError::Broken`]. What it sets, it sets with `SET LOCAL`: on a connection of the caller's own pool anything else
/// stays, as for everyone who uses the pool; one that the target has made is reset before the next transaction.
///
/// No statement takes longer than the time that a transaction may be open, and the server rolls back a transaction in which
/// nothing has happened for so long: a process that was stopped keeps no locks.
///
/// # Examples
/// ```no_run
/// # mod actum { pub use {actum_persistence::progress, actum_store_postgres as postgres}; }
/// use actum::postgres::PostgresTarget;
/// use actum::progress::{ExactTarget, ProgressChange};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = sqlx::PgPool::connect_lazy("postgres://bank@localhost/bank")?;
/// let target = PostgresTarget::new(pool);
///
/// let mut tx = target.begin(Duration::from_secs(30)).await?;
/// let rows = PostgresTarget::connection(&mut tx);
/// sqlx::query("UPDATE totals SET amount = amount + 5").execute(rows).await?;
/// target.commit(tx, &ProgressChange::Nothing).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresTarget {
    source: Source,
    settings: PostgresSettings,
    database: Arc<ProgressDatabase>,
}

impl PostgresTarget {
    /// The database of a pool, which is used by others too. Nothing is opened or created before the first use.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let settings = PostgresSettings::default().with_schema(SCHEMA);
        Self::of_source(Source::Pool(pool), settings)
    }

    /// The database at `url`, as [`PostgresStore::connect`](crate::PostgresStore::connect) has it, with connections of its own. Nothing is opened or
    /// created before the first use.
    ///
    /// # Errors
    /// [`OpenError::InvalidUrl`] when the URL cannot be read.
    pub fn connect(url: &str) -> Result<Self, OpenError> {
        let settings = PostgresSettings::default().with_schema(SCHEMA);
        Ok(Self::of_source(open::source(url)?, settings))
    }

    pub(crate) fn of_source(source: Source, settings: PostgresSettings) -> Self {
        let database = Arc::new(ProgressDatabase::new(source.clone(), settings.clone()));
        Self { source, settings, database }
    }

    /// Keeps progress in another schema: 1 to 63 letters, digits and underscores of ASCII, not beginning with a digit or
    /// `pg_`. It holds nothing else.
    #[must_use]
    pub fn with_schema(self, schema: impl Into<String>) -> Self {
        Self::of_source(self.source, self.settings.with_schema(schema))
    }

    /// Uses the database as these settings say, but for `schema`, `layout` and `remembered_entities`, which are a journal's.
    /// `connections_max` bounds the transactions that are open at the same time, and as many other calls.
    #[must_use]
    pub fn with_settings(self, settings: PostgresSettings) -> Self {
        Self::of_source(self.source, settings.with_schema(self.settings.schema))
    }

    /// Creates the tables if they are missing, whatever [`PostgresSettings::migrate`] says.
    ///
    /// A program of its own can do so with a user of more rights, before the service is started with
    /// [`Migrate::Never`]. The user of the service then needs `USAGE` on the schema, and `SELECT`, `INSERT`, `UPDATE` and
    /// `DELETE` on its tables.
    ///
    /// # Errors
    /// [`StoreError`] when the settings are not valid, or the database cannot be reached or used for progress.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.database.prepare(Migrate::Pending).await
    }

    async fn begin_as(
        &self,
        open_max: Duration,
        sets_up: bool,
    ) -> Result<PostgresTransaction, StoreError> {
        self.database.ready().await?;
        let mark = new_mark();
        let is_own = matches!(self.source, Source::Options(_));
        let resets = is_own && !self.settings.transaction_pooling;
        let mut text = beginning(&mark, open_max, resets);
        if sets_up {
            text.push_str(&one_sets_up(&self.settings.schema));
        }
        let text = AssertSqlSafe(text.into());
        let begun =
            self.database.transactions().begin_for_others("beginning a transaction", text).await?;
        Ok(PostgresTransaction::new(begun.take_along(), Arc::clone(&self.database), mark))
    }

    /// What the server says to a change that failed in the transaction of a handler.
    fn failed(failed: Failed) -> SaveError {
        match (failed.fault, failed.error) {
            (Fault::Aborted, cause) => SaveError::Broken { cause: Some(cause) },
            (_, error) => SaveError::Store(error),
        }
    }
}

impl ExactTarget for PostgresTarget {
    type Connection = PgConnection;
    type Tx = PostgresTransaction;

    fn progress(&self) -> Arc<dyn ProgressStore> {
        Arc::clone(&self.database) as Arc<dyn ProgressStore>
    }

    async fn begin(&self, open_max: Duration) -> Result<PostgresTransaction, StoreError> {
        self.begin_as(open_max, false).await
    }

    async fn begin_set_up(&self, open_max: Duration) -> Result<PostgresTransaction, StoreError> {
        self.begin_as(open_max, true).await
    }

    fn connection(tx: &mut PostgresTransaction) -> &mut PgConnection {
        tx.connection()
    }

    async fn commit(
        &self,
        mut tx: PostgresTransaction,
        change: &ProgressChange,
    ) -> Result<(), SaveError> {
        let mark = tx.mark.clone();
        let session = tx.session();
        if !session.is_in_outermost() {
            return Err(SaveError::Broken { cause: None });
        }
        let idle_max = COMMIT_IDLE_MAX.min(self.settings.answer_timeout).as_millis().to_string();
        let within = Some(Marked { mark: &mark, idle_max: &idle_max });
        let changed = Changing { texts: &self.database.texts, change, within }.run(session).await;
        let verdict = changed.map_err(Self::failed)?;
        if let Err(refused) = verdict.into_result() {
            if matches!(refused, SaveError::Stale) {
                self.rollback(tx).await;
            }
            return Err(refused);
        }
        session.commit_for_others().await.map_err(not_committed)
    }

    async fn rollback(&self, mut tx: PostgresTransaction) {
        if let Err(error) = tx.session().rollback_for_others(ROLLBACK_MAX).await {
            tracing::debug!(%error, "a transaction did not roll back, its connection is closed");
        }
    }

    fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
        unavailable::is_unavailable(error)
    }
}

impl fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTarget")
            .field("address", &self.database.address)
            .finish_non_exhaustive()
    }
}

/// Begins a transaction, in one round trip.
///
/// It is marked with a setting that the server forgets when the transaction ends, by any commit or rollback. A server that can
/// do so notices a client that has gone while a statement runs, and cancels it.
fn beginning(mark: &str, open_max: Duration, resets: bool) -> String {
    let reset = if resets { RESET } else { "" };
    let millis = open_max.as_millis().clamp(1, i32::MAX as u128);
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; {reset}\
        SELECT set_config('actum.tx', '{mark}', TRUE), set_config('statement_timeout', '{millis}', TRUE), \
        set_config('idle_in_transaction_session_timeout', '{millis}', TRUE); \
        SELECT set_config('client_connection_check_interval', '1000', TRUE) \
        WHERE current_setting('server_version_num')::integer >= 140000 AND version() LIKE '%linux%'"
    )
}

/// Waits for those that set up beside the same progress: of two that create the same table the second one would fail, also with
/// `IF NOT EXISTS`. The lock ends with the transaction.
fn one_sets_up(schema: &str) -> String {
    format!("; SELECT pg_advisory_xact_lock(hashtext('actum set up'), hashtext('{schema}'))")
}

/// Leaves nothing of the handler before on a connection: as `DISCARD ALL` does, and prepared statements stay.
const RESET: &str = "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; \
    SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES; ";

/// A mark that no other transaction has, of this process or another.
fn new_mark() -> String {
    use std::{
        hash::{BuildHasher, RandomState},
        sync::LazyLock,
    };
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("process"));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:x}-{}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What the failure of a commit means. What the server refuses for the sake of the rows, such as a constraint that was
/// deferred, was rolled back.
fn not_committed(error: sqlx::Error) -> SaveError {
    let is_unavailable = unavailable::is_unavailable(&error);
    let text = match &error {
        sqlx::Error::Database(_) => Some(error.to_string()),
        _ => None,
    };
    match (commit_error(DOING, error), text) {
        (StoreError::OutcomeUnknown { doing, source }, _) => {
            SaveError::Store(StoreError::OutcomeUnknown { doing, source })
        }
        (_, Some(text)) if !is_unavailable => {
            SaveError::Broken { cause: Some(StoreError::invalid(text)) }
        }
        (error, _) => SaveError::Store(error),
    }
}
