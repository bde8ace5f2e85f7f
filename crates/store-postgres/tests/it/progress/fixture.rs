use crate::fixture::foreign_connection;
use actum_persistence::progress::{ExactTarget, ProgressStore};
use actum_store_postgres::{PostgresSettings, PostgresTarget};
use actum_test_servers::{TestPostgres, unique_name};
use actum_testkit::conformance::{
    exact_target::{ExactTargetFixture, Misuse},
    progress::ProgressFixture,
};
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgPoolOptions};
use std::sync::Arc;

/// Progress in a schema of its own, on the server that all tests share; dropped in the end.
pub(crate) struct TargetFixture {
    /// None where there is no server.
    server: Option<&'static TestPostgres>,
    pub(crate) schema: String,
    settings: PostgresSettings,
    is_on_pool: bool,
}

/// Where the rows of handlers are.
const ROWS: &str =
    "CREATE SCHEMA #; CREATE TABLE #.rows (key text PRIMARY KEY, value text NOT NULL)";

impl TargetFixture {
    /// With a table for rows beside.
    pub(crate) async fn create_with_rows() -> Self {
        Self::create().await.with_rows().await
    }

    /// As [`create_on_pool`](Self::create_on_pool), with a table for rows beside.
    pub(crate) async fn create_on_pool_with_rows() -> Self {
        Self::create_on_pool().await.with_rows().await
    }

    async fn with_rows(self) -> Self {
        if self.server.is_some() {
            let create = sqlx::raw_sql(self.sql(ROWS));
            create.execute(&mut self.foreign_connection().await).await.unwrap();
        }
        self
    }

    /// A statement with the schema of the rows in the place of `#`.
    fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace('#', &format!("\"{}_rows\"", self.schema)))
    }

    pub(crate) async fn create() -> Self {
        Self::with(PostgresSettings::default())
    }

    /// As behind a proxy that pools transactions.
    pub(crate) async fn create_unprepared() -> Self {
        Self::with(PostgresSettings::default().with_transaction_pooling(true))
    }

    /// On the pool of another program, a new one for each target.
    pub(crate) async fn create_on_pool() -> Self {
        Self::on_pool()
    }

    pub(crate) fn on_pool() -> Self {
        let mut fixture = Self::with(PostgresSettings::default());
        fixture.is_on_pool = true;
        fixture
    }

    pub(crate) fn with(settings: PostgresSettings) -> Self {
        let schema = unique_name("progress");
        Self { server: TestPostgres::shared(), schema, settings, is_on_pool: false }
    }

    pub(crate) fn url(&self) -> &'static str {
        self.server.expect("the caller has seen that there is a server").admin_url()
    }

    pub(crate) fn target(&self) -> PostgresTarget {
        let target = if self.is_on_pool {
            let pool = PgPoolOptions::new().max_connections(4);
            PostgresTarget::new(pool.connect_lazy(self.url()).unwrap())
        } else {
            PostgresTarget::connect(self.url()).unwrap()
        };
        target.with_settings(self.settings.clone()).with_schema(&self.schema)
    }

    /// A connection of another program.
    pub(crate) async fn foreign_connection(&self) -> PgConnection {
        foreign_connection(self.url()).await
    }
}

#[async_trait]
impl ProgressFixture for TargetFixture {
    fn is_available(&self) -> bool {
        self.server.is_some()
    }

    async fn open(&self) -> Arc<dyn ProgressStore> {
        self.target().progress()
    }
}

#[async_trait]
impl ExactTargetFixture for TargetFixture {
    type Target = PostgresTarget;

    fn is_available(&self) -> bool {
        self.server.is_some()
    }

    async fn open(&self) -> PostgresTarget {
        self.target()
    }

    async fn write(&self, rows: &mut PgConnection, key: &str, value: &str) {
        let write = "INSERT INTO #.rows VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2";
        let write = sqlx::query(self.sql(write)).bind(key).bind(value);
        write.execute(rows).await.unwrap();
    }

    async fn read(&self, rows: &mut PgConnection, key: &str) -> Option<String> {
        let read = sqlx::query_scalar(self.sql("SELECT value FROM #.rows WHERE key = $1"));
        read.bind(key).fetch_optional(rows).await.unwrap()
    }

    async fn misuse(&self, rows: &mut PgConnection, how: Misuse) -> bool {
        let text = match how {
            Misuse::Commit => "COMMIT",
            Misuse::Rollback => "ROLLBACK",
            Misuse::IgnoreError => "SELECT 1 / 0",
            _ => return false,
        };
        let done = sqlx::raw_sql(text).execute(rows).await;
        assert_eq!(done.is_err(), how == Misuse::IgnoreError, "{how:?}");
        true
    }
}

impl Drop for TargetFixture {
    fn drop(&mut self) {
        let Some(server) = self.server else { return };
        let drop = AssertSqlSafe(format!(
            "DROP SCHEMA IF EXISTS \"{0}\", \"{0}_rows\" CASCADE",
            self.schema
        ));
        // on a thread of its own: this may be dropped inside of a runtime, or while a test panics
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                let mut foreign = foreign_connection(server.admin_url()).await;
                sqlx::raw_sql("SET lock_timeout = '10s'").execute(&mut foreign).await?;
                sqlx::raw_sql(drop).execute(&mut foreign).await?;
                foreign.close().await
            })
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            left => eprintln!("a schema was not dropped: {left:?}"),
        }
    }
}
