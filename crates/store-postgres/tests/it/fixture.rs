use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{JournalLayout, Stores};
use actum_store_postgres::{Migrate, PostgresSettings, PostgresStore};
use actum_test_servers::{TestPostgres, unique_name};
use actum_testkit::conformance::StoreFixture;
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::str::FromStr;

/// A journal in a schema of its own, on the server that all tests share; dropped in the end.
pub(crate) struct PostgresFixture {
    /// None where there is no server.
    server: Option<&'static TestPostgres>,
    settings: PostgresSettings,
}

impl PostgresFixture {
    pub(crate) async fn create(layout: JournalLayout) -> Self {
        Self::with(PostgresSettings::default().with_layout(layout))
    }

    pub(crate) async fn create_cramped(layout: JournalLayout) -> Self {
        let settings = PostgresSettings::default()
            .with_layout(layout)
            .with_connections_max(2)
            .with_ping_after_idle(std::time::Duration::ZERO)
            .with_remembered_entities(1_000);
        Self::with(settings)
    }

    /// As a journal behind a proxy that pools transactions is used.
    pub(crate) async fn create_unprepared(layout: JournalLayout) -> Self {
        Self::with(PostgresSettings::default().with_layout(layout).with_transaction_pooling(true))
    }

    /// As one that an older program has made, and a user has opened who may not add to it.
    pub(crate) async fn create_without_shortcuts(layout: JournalLayout) -> Self {
        let mut fixture = Self::with(PostgresSettings::default().with_layout(layout));
        if fixture.is_available() {
            fixture.store().await.close().await;
            let drop = "DROP FUNCTION @append_one_after_v1; DROP FUNCTION @append_many_after_v1";
            let mut foreign = fixture.foreign_connection().await;
            sqlx::raw_sql(fixture.sql(drop)).execute(&mut foreign).await.unwrap();
            foreign.close().await.unwrap();
        }
        fixture.settings = fixture.settings().with_migrate(Migrate::Never);
        fixture
    }

    /// A journal that is opened with these settings, in a schema of its own.
    pub(crate) fn with(settings: PostgresSettings) -> Self {
        let settings = settings.with_schema(unique_name("journal"));
        Self { server: TestPostgres::shared(), settings }
    }

    pub(crate) fn url(&self) -> &'static str {
        self.server.expect("the caller has seen that there is a server").admin_url()
    }

    pub(crate) fn settings(&self) -> PostgresSettings {
        self.settings.clone()
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::connect_with(self.url(), self.settings()).await.unwrap()
    }

    /// A connection of another program.
    pub(crate) async fn foreign_connection(&self) -> PgConnection {
        foreign_connection(self.url()).await
    }

    /// A statement with the schema of the journal in the place of `@`.
    pub(crate) fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace('@', &format!("\"{}\".", self.settings.schema)))
    }
}

/// A connection of another program.
pub(crate) async fn foreign_connection(url: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(url).unwrap();
    options.disable_statement_logging().connect().await.unwrap()
}

impl Drop for PostgresFixture {
    fn drop(&mut self) {
        let Some(server) = self.server else { return };
        let drop = self.sql("DROP SCHEMA IF EXISTS @ CASCADE").0.replace("\".", "\"");
        // on a thread of its own: this may be dropped inside of a runtime, or while a test panics
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                let mut foreign = foreign_connection(server.admin_url()).await;
                let wait = "SET lock_timeout = '10s'";
                sqlx::raw_sql(wait).execute(&mut foreign).await?;
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut foreign).await?;
                foreign.close().await
            })
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            left => eprintln!("a schema was not dropped: {left:?}"),
        }
    }
}

#[async_trait]
impl StoreFixture for PostgresFixture {
    fn is_available(&self) -> bool {
        self.server.is_some()
    }

    async fn open(&self) -> Stores {
        Stores::of(self.store().await)
    }

    async fn advance_lane(&self, lane: Lane, to: Position) {
        self.store().await.close().await; // there is a journal
        let mut foreign = self.foreign_connection().await;
        let statement = sqlx::query(self.sql("UPDATE @lanes SET kept = $1 WHERE lane = $2"));
        let statement = statement.bind(to.get().cast_signed()).bind(i32::from(lane.nr()));
        assert_eq!(statement.execute(&mut foreign).await.unwrap().rows_affected(), 1);
        foreign.close().await.unwrap();
    }

    async fn damage_snapshot(&self, entity: &EntityKey, sequence_nr: SequenceNr) -> bool {
        let damage = self.sql(
            "UPDATE @snapshots SET schema_version = -1 WHERE sequence_nr = $1
                AND entity = (SELECT entity FROM @entities WHERE kind = $2 AND id = $3)",
        );
        let damage = sqlx::query(damage).bind(sequence_nr.get().cast_signed());
        let damage = damage.bind(entity.kind()).bind(entity.id());
        damage.execute(&mut self.foreign_connection().await).await.unwrap().rows_affected() == 1
    }

    async fn damage_state(&self, entity: &EntityKey) -> bool {
        let damage = self.sql(
            "UPDATE @states SET codec = NULL
                WHERE entity = (SELECT entity FROM @entities WHERE kind = $1 AND id = $2)",
        );
        let damage = sqlx::query(damage).bind(entity.kind()).bind(entity.id());
        damage.execute(&mut self.foreign_connection().await).await.unwrap().rows_affected() == 1
    }

    async fn advance_entity(&self, entity: &EntityKey, to: SequenceNr) {
        let store = self.store().await;
        let layout = actum_persistence::store::EventStore::layout(&store);
        let partition = i32::from(entity.partition(layout.partitions).nr());
        let mut foreign = self.foreign_connection().await;
        let statement =
            "INSERT INTO @entities (kind, id, partition, floor) VALUES ($1, $2, $3, $4)";
        let statement = sqlx::query(self.sql(statement)).bind(entity.kind()).bind(entity.id());
        let statement = statement.bind(partition).bind(to.get().cast_signed());
        statement.execute(&mut foreign).await.unwrap();
        foreign.close().await.unwrap();
        store.close().await;
    }
}
