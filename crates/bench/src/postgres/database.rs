use super::Server;
use actum::{
    LaneCount,
    postgres::{PostgresSettings, PostgresStore},
    store::JournalLayout,
};
use actum_test_servers::unique_name;
use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// A database for one journal: what is measured next finds nothing of the rows before.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
    /// To another database of the server.
    admin: PgConnectOptions,
    /// Straight to this one.
    straight: PgConnectOptions,
    clients: PgConnectOptions,
}

/// The schema of its journal.
pub(crate) const SCHEMA: &str = "actum";

/// PostgreSQL 15 would write a large template to its log, too, unless it is set otherwise.
const KNOWS_STRATEGIES: u32 = 150_000;

impl Database {
    /// An empty database.
    pub(crate) async fn create(server: &Server) -> Result<Self> {
        Self::make(server, "").await
    }

    /// A copy of this one, which no one uses meanwhile.
    pub(crate) async fn copy(&self, server: &Server) -> Result<Self> {
        let strategy = if server.version >= KNOWS_STRATEGIES { " STRATEGY file_copy" } else { "" };
        Self::make(server, &format!(" TEMPLATE \"{}\"{strategy}", self.name)).await
    }

    async fn make(server: &Server, how: &str) -> Result<Self> {
        let name = unique_name("bench");
        let create = format!("CREATE DATABASE \"{name}\"{how}");
        run(&server.admin, create).await.context("creating a database")?;
        let [straight, clients] =
            [&server.admin, &server.clients].map(|options| options.clone().database(&name));
        Ok(Self { name, admin: server.admin.clone(), straight, clients })
    }

    /// Opens its journal, and creates it if there is none.
    pub(crate) async fn store(&self, lanes: u16) -> Result<PostgresStore> {
        let lanes = LaneCount::new(lanes).context("a journal has a lane")?;
        let layout = JournalLayout { lanes, ..JournalLayout::default() };
        let settings = PostgresSettings::default().with_schema(SCHEMA).with_layout(layout);
        Ok(PostgresStore::connect_with(&self.url(), settings).await?)
    }

    /// A connection as whatever is measured has it.
    pub(crate) async fn connect(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.clients).await?)
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        self.clients.to_url_lossy().to_string()
    }

    /// How a pool connects.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.clients.clone()
    }

    /// A connection for what is not measured.
    pub(crate) async fn connect_straight(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect_with(&self.straight).await?)
    }

    /// Brings everything to the disk that was written so far, where the user may: the row that is measured next does
    /// not wait for it.
    pub(crate) async fn settle(&self) {
        let _ = run(&self.admin, "CHECKPOINT".to_owned()).await;
    }

    /// Deletes it; its journal is closed.
    pub(crate) async fn delete(self) -> Result<()> {
        run(&self.admin, format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name))
            .await
            .context("deleting a database")
    }
}

/// Runs a statement of this file on a connection of its own.
async fn run(options: &PgConnectOptions, statement: String) -> Result<()> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
