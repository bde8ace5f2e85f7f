use crate::{
    bounded::until,
    fixture::{self, PostgresFixture},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

/// Another program in the same database, which holds what it should not.
pub(crate) struct ForeignSession {
    connection: PgConnection,
    pid: i32,
    observer: PgConnection,
    schema: String,
}

impl ForeignSession {
    /// Connects to the database of a journal.
    pub(crate) async fn beside(journal: &PostgresFixture) -> Self {
        Self::connect(journal.url(), &journal.settings().schema).await
    }

    /// Connects to the database at `url`.
    pub(crate) async fn connect(url: &str, schema: &str) -> Self {
        let mut connection = fixture::foreign_connection(url).await;
        let pid = connection.fetch_one("SELECT pg_backend_pid()").await.unwrap().get(0);
        let observer = fixture::foreign_connection(url).await;
        Self { connection, pid, observer, schema: schema.to_owned() }
    }

    /// Runs statements, with the schema of the journal in the place of `@`.
    pub(crate) async fn run(&mut self, text: &str) {
        self.try_run(text).await.unwrap();
    }

    /// As [`run`](Self::run), for what may fail.
    pub(crate) async fn try_run(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(text.replace('@', &format!("\"{}\".", self.schema)));
        sqlx::raw_sql(text).execute(&mut self.connection).await.map(drop)
    }

    /// The number that a query answers.
    pub(crate) async fn number(&mut self, query: &str) -> i64 {
        let text = AssertSqlSafe(query.replace('@', &format!("\"{}\".", self.schema)));
        sqlx::query(text).fetch_one(&mut self.connection).await.unwrap().get(0)
    }

    /// Waits until so many others wait for what this one holds.
    pub(crate) async fn is_waited_for(&mut self, by: i64) {
        let blocked =
            "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        until("another session waits for this one", async || {
            let row = sqlx::query(blocked).bind(self.pid).fetch_one(&mut self.observer).await;
            row.unwrap().get::<i64, _>(0) >= by
        })
        .await;
    }
}
