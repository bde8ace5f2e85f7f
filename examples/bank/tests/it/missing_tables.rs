//! A projection whose table is not there: never created, or dropped while it runs. That is no event's fault: by whatever policy it
//! waits, says for what, and goes on when the table is there.

use crate::place::Place;
use actum::{
    Engine, HandlerError, OnFailure, PostgresStore, PostgresTarget, Project, ProjectCtx,
    Projection, ProjectionRef, ProjectionRegistration, ProjectionState, Projector, Recorded,
    SqliteStore, SqliteTarget, postgres::PostgresSettings, settings::ProjectionSettings,
};
use bank::domain::{Account, AccountEvent, Open};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, sqlite};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long anything may take that must not take for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many accounts are opened each time: many more than may be parked in a row.
const ACCOUNTS: usize = 30;
/// How often an event is tried before a policy would apply.
const RETRIES: u32 = 1;
const POLICIES: [OnFailure; 3] =
    [OnFailure::Stop, OnFailure::SkipToDeadLetters, OnFailure::ParkEntity];

/// Keeps the ids of the accounts that were opened.
#[derive(Clone)]
struct Opened<T> {
    target: T,
    insert: String,
    /// How often an event was tried.
    tries: Arc<AtomicUsize>,
}

impl Projector for Opened<SqliteTarget> {
    type Target = SqliteTarget;
}

impl Project<Account> for Opened<SqliteTarget> {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, SqliteTarget>,
    ) -> Result<(), HandlerError> {
        self.tries.fetch_add(1, Relaxed);
        let insert = sqlx::query(AssertSqlSafe(&*self.insert)).bind(event.entity.id());
        insert.execute(ctx.tx()).await?;
        Ok(())
    }
}

impl Projector for Opened<PostgresTarget> {
    type Target = PostgresTarget;
}

impl Project<Account> for Opened<PostgresTarget> {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        self.tries.fetch_add(1, Relaxed);
        let insert = sqlx::query(AssertSqlSafe(&*self.insert)).bind(event.entity.id());
        insert.execute(ctx.tx()).await?;
        Ok(())
    }
}

/// A database that someone else takes tables from, and brings them back.
enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection, String),
}

impl Database {
    async fn change(&mut self, statement: &'static str) {
        match self {
            Self::Sqlite(file) => _ = file.execute(sqlx::raw_sql(statement)).await.unwrap(),
            Self::Postgres(server, schema) => {
                let text = statement.replace("opened", &format!("\"{schema}\".opened"));
                server.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
            }
        }
    }

    async fn count(&mut self) -> i64 {
        match self {
            Self::Sqlite(file) => {
                sqlx::query_scalar("SELECT count(*) FROM opened").fetch_one(file).await.unwrap()
            }
            Self::Postgres(server, schema) => {
                let count = format!("SELECT count(*) FROM \"{schema}\".opened");
                sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(server).await.unwrap()
            }
        }
    }
}

const CREATE: &str = "CREATE TABLE opened (account TEXT PRIMARY KEY)";

/// What differs between the databases.
struct Over {
    stores: actum::store::Stores,
    registration: ProjectionRegistration,
    tries: Arc<AtomicUsize>,
    database: Database,
    /// How it is said that the table is not there.
    says: &'static str,
}

fn settings(on_failure: OnFailure) -> ProjectionSettings {
    let mut settings = ProjectionSettings::default();
    (settings.retries, settings.on_failure) = (RETRIES, on_failure);
    (settings.retry_first, settings.retry_max) =
        (Duration::from_millis(10), Duration::from_millis(100));
    settings
}

async fn over_sqlite(place: &Place, on_failure: OnFailure) -> Over {
    let Place::File(directory) = place else { unreachable!("it is a file") };
    let file = directory.path().join("bank.db");
    let (store, tries) = (SqliteStore::open(&file).await.unwrap(), Arc::default());
    let target = SqliteTarget::of(&store);
    let insert = "INSERT INTO opened (account) VALUES (?)".to_owned();
    let opened = Opened { target: target.clone(), insert, tries: Arc::clone(&tries) };
    let projection = Projection::exact("opened", opened.target.clone(), opened);
    let registration = projection.from::<Account>().settings(settings(on_failure)).into();
    let options = sqlite::SqliteConnectOptions::new().filename(&file).busy_timeout(PATIENCE);
    let database = Database::Sqlite(SqliteConnection::connect_with(&options).await.unwrap());
    let says = "no such table: opened";
    Over { stores: store.into(), registration, tries, database, says }
}

async fn over_postgres(place: &Place, on_failure: OnFailure) -> Over {
    let Place::Postgres { url, schema, .. } = place else { unreachable!("it is on a server") };
    let of_journal = PostgresSettings::default().with_schema(schema);
    let store = PostgresStore::connect_with(url, of_journal).await.unwrap();
    let (target, tries) = (PostgresTarget::of(&store), Arc::default());
    let of_rows = format!("{schema}_rows");
    let insert = format!("INSERT INTO \"{of_rows}\".opened (account) VALUES ($1)");
    let opened = Opened { target: target.clone(), insert, tries: Arc::clone(&tries) };
    let projection = Projection::exact("opened", opened.target.clone(), opened);
    let registration = projection.from::<Account>().settings(settings(on_failure)).into();
    let mut server = PgConnection::connect(url).await.unwrap();
    let create = format!("CREATE SCHEMA \"{of_rows}\"");
    server.execute(sqlx::raw_sql(AssertSqlSafe(create))).await.unwrap();
    let database = Database::Postgres(server, of_rows);
    Over { stores: store.into(), registration, tries, database, says: "opened\" does not exist" }
}

/// Waits until it waits for the table, and has been tried more often than an event would be; nothing is given up.
async fn waits_for_the_table(projection: &ProjectionRef, tries: &AtomicUsize, says: &str) {
    let (began, mut waiting_since) = (Instant::now(), None);
    loop {
        assert!(began.elapsed() < PATIENCE, "it does not wait for its table");
        if let Ok(status) = projection.status().await {
            let given_up = (status.parked, status.dead_letters);
            assert_eq!(given_up, (0, 0), "{:?}", status.state);
            match &status.state {
                ProjectionState::Waiting { why } => {
                    assert!(why.contains(says), "{why}");
                    let since = *waiting_since.get_or_insert_with(|| tries.load(Relaxed));
                    if tries.load(Relaxed) > since + 2 * RETRIES as usize + 2 {
                        assert_eq!(status.id.name(), "opened");
                        return;
                    }
                }
                ProjectionState::Starting { .. } | ProjectionState::Running => {}
                other => panic!("{other:?}"),
            }
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn it_waits_for_its_table_and_goes_on(over: Over) {
    let Over { stores, registration, tries, mut database, says } = over;
    let builder = Engine::builder("bank").store(stores).entity::<Account>(());
    let engine = builder.projection(registration).start().await.unwrap();
    let projection = engine.projection("opened");
    let open = async |round: usize| {
        for nr in 0..ACCOUNTS {
            let account = engine.entity::<Account>(format!("{round}-{nr}"));
            account.ask(Open { owner: "Ada".to_owned() }).await.unwrap();
        }
    };
    // never created
    open(0).await;
    waits_for_the_table(&projection, &tries, says).await;
    database.change(CREATE).await;
    projection.caught_up(PATIENCE).await.unwrap();
    assert_eq!(database.count().await, i64::try_from(ACCOUNTS).unwrap());
    // dropped while it runs
    database.change("DROP TABLE opened").await;
    open(1).await;
    waits_for_the_table(&projection, &tries, says).await;
    database.change("CREATE TABLE opened (at INT DEFAULT 0, account TEXT PRIMARY KEY)").await;
    projection.caught_up(PATIENCE).await.unwrap();
    assert_eq!(database.count().await, i64::try_from(ACCOUNTS).unwrap());
    assert!(engine.shutdown().await.is_clean());
}

#[tokio::test]
async fn projection_waits_for_a_table_of_a_file_that_is_not_there_and_loses_nothing() {
    for policy in POLICIES {
        let place = Place::file();
        it_waits_for_its_table_and_goes_on(over_sqlite(&place, policy).await).await;
    }
}

#[tokio::test]
async fn projection_waits_for_a_table_of_a_server_that_is_not_there_and_loses_nothing() {
    for policy in POLICIES {
        let Some(place) = Place::postgres() else { return };
        it_waits_for_its_table_and_goes_on(over_postgres(&place, policy).await).await;
    }
}
