use super::{
    PROJECTION, Zone,
    line::{DayRow, DayTotal, Entry, LineRow, StatementLine, day_total, line, other_zone},
};
use crate::{
    account_list::{expect_one, revision},
    domain::{Account, AccountEvent},
    history::rfc3339,
    sqlite_readers::sqlite_readers,
};
use actum::{
    HandlerError, OnFailure, Project, ProjectCtx, Projection, Projector, Recorded, SqliteStore,
    SqliteTarget,
};
use sqlx::{SqliteConnection, SqlitePool};
use std::num::NonZeroU32;

/// The statements in the file of the journal.
#[derive(Clone, Debug)]
pub struct SqliteStatements {
    target: SqliteTarget,
    readers: SqlitePool,
    zone: Zone,
}

impl SqliteStatements {
    pub(super) fn beside(store: &SqliteStore, zone: Zone) -> Self {
        let target = SqliteTarget::of(store);
        let readers = sqlite_readers(&target);
        Self { target, readers, zone }
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
        let query = "SELECT revision, at, day, what, amount, balance FROM bank_statements
            WHERE account = ? AND revision > ? ORDER BY revision LIMIT ?";
        let rows: Vec<LineRow> = sqlx::query_as(query)
            .bind(account)
            .bind(after)
            .bind(limit.get())
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(line).collect())
    }

    pub(super) async fn days(
        &self,
        after: &str,
        limit: NonZeroU32,
    ) -> anyhow::Result<Vec<DayTotal>> {
        let query = "SELECT day, deposits, deposited, withdrawals, withdrawn FROM bank_days
            WHERE day > ? ORDER BY day LIMIT ?";
        let rows: Vec<DayRow> =
            sqlx::query_as(query).bind(after).bind(limit.get()).fetch_all(&self.readers).await?;
        rows.into_iter().map(|row| Ok(day_total(row)?)).collect()
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Notes whose days the rows are, if that is not noted yet; returns what is.
    async fn note_zone(&self, tx: &mut SqliteConnection) -> Result<String, HandlerError> {
        let insert =
            "INSERT INTO bank_zone (zone) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM bank_zone)";
        sqlx::query(insert).bind(self.zone.to_string()).execute(&mut *tx).await?;
        Ok(sqlx::query_scalar("SELECT zone FROM bank_zone").fetch_one(tx).await?)
    }
}

impl Projector for SqliteStatements {
    type Target = SqliteTarget;

    async fn set_up(&mut self, ctx: &mut ProjectCtx<'_, SqliteTarget>) -> Result<(), HandlerError> {
        for table in [
            "CREATE TABLE IF NOT EXISTS bank_statements (
                account TEXT NOT NULL, revision INTEGER NOT NULL, at TEXT NOT NULL, day TEXT NOT NULL, what TEXT NOT NULL,
                amount INTEGER NOT NULL, balance INTEGER NOT NULL, PRIMARY KEY (account, revision)
            ) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS bank_days (
                day TEXT PRIMARY KEY, deposits INTEGER NOT NULL, deposited TEXT NOT NULL, withdrawals INTEGER NOT NULL,
                withdrawn TEXT NOT NULL
            ) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS bank_zone (zone TEXT PRIMARY KEY) WITHOUT ROWID",
        ] {
            sqlx::query(table).execute(&mut *ctx.tx()).await?;
        }
        let there = self.note_zone(ctx.tx()).await?;
        if there == self.zone.to_string() { Ok(()) } else { Err(other_zone(&there, &self.zone)) }
    }

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, SqliteTarget>) -> Result<(), HandlerError> {
        for table in ["bank_statements", "bank_days", "bank_zone"] {
            let delete = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
            sqlx::query(delete).execute(&mut *ctx.tx()).await?;
        }
        self.note_zone(ctx.tx()).await?;
        Ok(())
    }
}

impl Project<Account> for SqliteStatements {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, SqliteTarget>,
    ) -> Result<(), HandlerError> {
        let (entry, revision) = (Entry::of(&event.event)?, revision(event)?);
        let day = self.zone.day(event.timestamp);
        // the first line has none in front of it, and every other one must have
        let insert =
            "INSERT INTO bank_statements (account, revision, at, day, what, amount, balance)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?6 + balance FROM (
                SELECT balance FROM bank_statements WHERE account = ?1 AND revision = ?2 - 1
                UNION ALL SELECT 0 WHERE ?2 = 1
            )";
        let line = sqlx::query(insert)
            .bind(event.entity.id())
            .bind(revision)
            .bind(rfc3339(event.timestamp))
            .bind(&day)
            .bind(entry.what)
            .bind(entry.amount);
        expect_one(line.execute(&mut *ctx.tx()).await?.rows_affected(), event)?;
        match entry.adds() {
            Some(adds) => add_to_day(ctx.tx(), &DayTotal { day, ..adds }).await,
            None => Ok(()),
        }
    }
}

async fn add_to_day(tx: &mut SqliteConnection, adds: &DayTotal) -> Result<(), HandlerError> {
    let query =
        "SELECT day, deposits, deposited, withdrawals, withdrawn FROM bank_days WHERE day = ?";
    let there: Option<DayRow> =
        sqlx::query_as(query).bind(&adds.day).fetch_optional(&mut *tx).await?;
    let mut total = adds.clone();
    if let Some(there) = there.map(day_total).transpose()? {
        total.deposits += there.deposits;
        total.deposited += there.deposited;
        total.withdrawals += there.withdrawals;
        total.withdrawn += there.withdrawn;
    }
    let replace = "REPLACE INTO bank_days (day, deposits, deposited, withdrawals, withdrawn) VALUES (?, ?, ?, ?, ?)";
    sqlx::query(replace)
        .bind(total.day)
        .bind(total.deposits.cast_signed())
        .bind(total.deposited.to_string())
        .bind(total.withdrawals.cast_signed())
        .bind(total.withdrawn.to_string())
        .execute(tx)
        .await?;
    Ok(())
}
