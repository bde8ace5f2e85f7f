use super::{
    PROJECTION, Zone,
    line::{DayTotal, Entry, StatementLine, day_total, line, other_zone},
};
use crate::{
    account_list::{expect_one, revision},
    domain::{Account, AccountEvent},
    history::rfc3339,
    postgres_rows::postgres_rows,
};
use actum::{
    HandlerError, OnFailure, PostgresStore, PostgresTarget, Project, ProjectCtx, Projection,
    Projector, Recorded,
};
use sqlx::{AssertSqlSafe, PgConnection};
use std::{num::NonZeroU32, sync::Arc};

/// The statements in the database of the journal.
#[derive(Clone, Debug)]
pub struct PostgresStatements {
    target: PostgresTarget,
    /// What the names of the tables begin with: the schema of the journal's projections, and more.
    tables: Arc<str>,
    zone: Zone,
}

impl PostgresStatements {
    pub(super) fn beside(store: &PostgresStore, schema: &str, zone: Zone) -> Self {
        let tables = format!("\"{schema}_projections\".bank_").into();
        Self { target: PostgresTarget::of(store), tables, zone }
    }

    pub(super) fn projection(&self) -> Projection<Self> {
        let projection = Projection::exact(PROJECTION, self.target.clone(), self.clone());
        projection.from::<Account>().on_failure(OnFailure::ParkEntity)
    }

    pub(super) async fn lines(
        &self,
        account: &str,
        after: i64,
        limit: NonZeroU32,
    ) -> anyhow::Result<Vec<StatementLine>> {
        let query = self.sql(
            "SELECT revision, at, day, what, amount, balance FROM @statements
            WHERE account = $1 AND revision > $2 ORDER BY revision LIMIT $3",
        );
        let rows = sqlx::query_as(query).bind(account).bind(after).bind(i64::from(limit.get()));
        Ok(postgres_rows(&self.target, rows).await?.into_iter().map(line).collect())
    }

    pub(super) async fn days(
        &self,
        after: &str,
        limit: NonZeroU32,
    ) -> anyhow::Result<Vec<DayTotal>> {
        let query = self.sql(
            "SELECT day, deposits, deposited::text, withdrawals, withdrawn::text FROM @days
            WHERE day > $1 ORDER BY day LIMIT $2",
        );
        let rows = sqlx::query_as(query).bind(after).bind(i64::from(limit.get()));
        let rows = postgres_rows(&self.target, rows).await?;
        rows.into_iter().map(|row| Ok(day_total(row)?)).collect()
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The statement with the names of the tables. A schema has letters, digits and underscores only.
    fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace('@', &self.tables))
    }

    async fn execute(&self, text: &str, tx: &mut PgConnection) -> Result<(), HandlerError> {
        sqlx::query(self.sql(text)).persistent(false).execute(tx).await?;
        Ok(())
    }

    /// Notes whose days the rows are, if that is not noted yet; returns what is.
    async fn note_zone(&self, tx: &mut PgConnection) -> Result<String, HandlerError> {
        let insert =
            self.sql("INSERT INTO @zone (zone) SELECT $1 WHERE NOT EXISTS (SELECT FROM @zone)");
        let insert = sqlx::query(insert).bind(self.zone.to_string());
        insert.persistent(false).execute(&mut *tx).await?;
        let query = sqlx::query_scalar(self.sql("SELECT zone FROM @zone"));
        Ok(query.persistent(false).fetch_one(tx).await?)
    }
}

impl Projector for PostgresStatements {
    type Target = PostgresTarget;

    async fn set_up(
        &mut self,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        for table in [
            "CREATE TABLE IF NOT EXISTS @statements (
                account TEXT COLLATE \"C\" NOT NULL, revision BIGINT NOT NULL, at TEXT NOT NULL, day TEXT NOT NULL,
                what TEXT NOT NULL, amount BIGINT NOT NULL, balance BIGINT NOT NULL, PRIMARY KEY (account, revision)
            )",
            "CREATE TABLE IF NOT EXISTS @days (
                day TEXT COLLATE \"C\" PRIMARY KEY, deposits BIGINT NOT NULL, deposited NUMERIC NOT NULL,
                withdrawals BIGINT NOT NULL, withdrawn NUMERIC NOT NULL
            ) WITH (fillfactor = 50)",
            "CREATE TABLE IF NOT EXISTS @zone (zone TEXT PRIMARY KEY)",
        ] {
            self.execute(table, ctx.tx()).await?;
        }
        let there = self.note_zone(ctx.tx()).await?;
        if there == self.zone.to_string() { Ok(()) } else { Err(other_zone(&there, &self.zone)) }
    }

    async fn clear(
        &mut self,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        for delete in ["DELETE FROM @statements", "DELETE FROM @days", "DELETE FROM @zone"] {
            self.execute(delete, ctx.tx()).await?;
        }
        self.note_zone(ctx.tx()).await?;
        Ok(())
    }
}

/// Adds a line behind the one in front of it, and what it moves to its day: one way to the server for both. The first line has
/// none in front of it, and every other one must have.
const ADD: &str = "WITH line AS (
    INSERT INTO @statements (account, revision, at, day, what, amount, balance)
    SELECT $1, $2, $3, $4, $5, $6, $6 + b.balance FROM (
        SELECT balance FROM @statements WHERE account = $1 AND revision = $2 - 1
        UNION ALL SELECT 0 WHERE $2 = 1
    ) AS b
    RETURNING 1
), moved AS (
    INSERT INTO @days AS d (day, deposits, deposited, withdrawals, withdrawn)
    SELECT $4, $7, $8::numeric, $9, $10::numeric FROM line WHERE $7 + $9 > 0
    ON CONFLICT (day) DO UPDATE SET deposits = d.deposits + excluded.deposits, deposited = d.deposited + excluded.deposited,
        withdrawals = d.withdrawals + excluded.withdrawals, withdrawn = d.withdrawn + excluded.withdrawn
)
SELECT FROM line";

impl Project<Account> for PostgresStatements {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        let (entry, revision) = (Entry::of(&event.event)?, revision(event)?);
        let adds = entry.adds();
        let adds = adds.as_ref();
        let add = sqlx::query(self.sql(ADD))
            .bind(event.entity.id())
            .bind(revision)
            .bind(rfc3339(event.timestamp))
            .bind(self.zone.day(event.timestamp))
            .bind(entry.what)
            .bind(entry.amount)
            .bind(adds.map_or(0, |adds| adds.deposits.cast_signed()))
            .bind(adds.map_or(0, |adds| adds.deposited).to_string())
            .bind(adds.map_or(0, |adds| adds.withdrawals.cast_signed()))
            .bind(adds.map_or(0, |adds| adds.withdrawn).to_string());
        let lines = add.persistent(false).fetch_all(ctx.tx()).await?;
        expect_one(lines.len() as u64, event)
    }
}
