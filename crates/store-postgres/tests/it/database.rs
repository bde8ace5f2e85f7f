use crate::fixture::foreign_connection;
use actum_test_servers::{TestPostgres, unique_name};
use sqlx::{AssertSqlSafe, Connection};

/// A database of one test alone, on the server that all tests share; dropped in the end.
pub(crate) struct OwnDatabase {
    server: &'static TestPostgres,
    name: String,
}

impl OwnDatabase {
    /// Creates one with these settings of its own; none where there is no server.
    pub(crate) async fn create(settings: &[(&str, &str)]) -> Option<Self> {
        let server = TestPostgres::shared()?;
        let database = Self { server, name: unique_name("database") };
        let name = &database.name;
        run(server.admin_url(), format!("CREATE DATABASE {name}")).await.unwrap();
        for (setting, value) in settings {
            let alter = format!("ALTER DATABASE {name} SET {setting} = '{value}'");
            run(server.admin_url(), alter).await.unwrap();
        }
        Some(database)
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let (url, drop) = (self.server.admin_url(), format!("DROP DATABASE {} (FORCE)", self.name));
        // on a thread of its own: this may be dropped inside of a runtime, or while a test panics
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(run(url, drop))
        });
        match dropping.join() {
            Ok(Ok(())) => {}
            left => eprintln!("a database was not dropped: {left:?}"),
        }
    }
}

async fn run(url: &str, text: String) -> Result<(), sqlx::Error> {
    let mut foreign = foreign_connection(url).await;
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut foreign).await?;
    foreign.close().await
}
