//! A read model of balances: what an exact projection of it and the same by hand have in common.

use sqlx::{AssertSqlSafe, Executor, PgConnection, SqliteConnection};

pub(crate) const CREATE: &str = "CREATE TABLE IF NOT EXISTS balances (account TEXT PRIMARY KEY, \
                                 balance BIGINT NOT NULL, deposits BIGINT NOT NULL)";

const SQLITE: &str = "INSERT INTO balances VALUES (?1, ?2, 1) ON CONFLICT (account) \
                      DO UPDATE SET balance = balance + excluded.balance, deposits = deposits + 1";
const POSTGRES: &str = "INSERT INTO balances AS b VALUES ($1, $2, 1) ON CONFLICT (account) \
                        DO UPDATE SET balance = b.balance + excluded.balance, deposits = b.deposits + 1";

/// A connection to one of the databases.
pub(crate) trait Rows: Send {
    /// Adds a deposit to the row of an account.
    fn deposit(
        &mut self,
        account: &str,
        amount: u64,
    ) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Runs a statement without parameters.
    fn run(&mut self, statement: &str) -> impl Future<Output = sqlx::Result<()>> + Send;
}

impl Rows for SqliteConnection {
    async fn deposit(&mut self, account: &str, amount: u64) -> sqlx::Result<()> {
        let query = sqlx::query(SQLITE).bind(account).bind(amount.cast_signed());
        query.execute(self).await.map(drop)
    }

    async fn run(&mut self, statement: &str) -> sqlx::Result<()> {
        self.execute(AssertSqlSafe(statement)).await.map(drop)
    }
}

impl Rows for PgConnection {
    async fn deposit(&mut self, account: &str, amount: u64) -> sqlx::Result<()> {
        let query = sqlx::query(POSTGRES).bind(account).bind(amount.cast_signed());
        query.execute(self).await.map(drop)
    }

    async fn run(&mut self, statement: &str) -> sqlx::Result<()> {
        self.execute(AssertSqlSafe(statement)).await.map(drop)
    }
}
