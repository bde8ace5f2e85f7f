use super::{
    PROJECTION,
    row::{Change, ListedAccount, expect_one, listed, revision},
};
use crate::{
    domain::{Account, AccountEvent},
    postgres_rows::postgres_rows,
};
use actum::{
    HandlerError, OnFailure, PostgresStore, PostgresTarget, Project, ProjectCtx, Projection,
    Projector, Recorded,
};
use sqlx::AssertSqlSafe;
use std::{num::NonZeroU32, sync::Arc};

/// The list in the database of the journal.
#[derive(Clone, Debug)]
pub struct PostgresAccounts {
    target: PostgresTarget,
    /// The schema of the journal's projections, and the table.
    table: Arc<str>,
}

impl PostgresAccounts {
    pub(super) fn beside(store: &PostgresStore, schema: &str) -> Self {
        let table = format!("\"{schema}_projections\".bank_accounts").into();
        Self { target: PostgresTarget::of(store), table }
    }

    pub(super) fn projection(&self) -> Projection<Self> {
        let projection = Projection::exact(PROJECTION, self.target.clone(), self.clone());
        projection.from::<Account>().on_failure(OnFailure::ParkEntity)
    }

    pub(super) async fn page(
        &self,
        after: &str,
        limit: NonZeroU32,
    ) -> anyhow::Result<Vec<ListedAccount>> {
        let query = self.sql("SELECT id, owner, balance, is_open, revision FROM @ WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = sqlx::query_as(AssertSqlSafe(query)).bind(after).bind(i64::from(limit.get()));
        Ok(postgres_rows(&self.target, rows).await?.into_iter().map(listed).collect())
    }

    /// The statement with the name of the table in place of `@`. A schema has letters, digits and underscores only.
    fn sql(&self, text: &str) -> String {
        text.replace('@', &self.table)
    }
}

impl Projector for PostgresAccounts {
    type Target = PostgresTarget;

    async fn set_up(
        &mut self,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        let table = self.sql(
            "CREATE TABLE IF NOT EXISTS @ (
                id TEXT COLLATE \"C\" PRIMARY KEY, owner TEXT NOT NULL, balance BIGINT NOT NULL, is_open BOOLEAN NOT NULL,
                revision BIGINT NOT NULL
            )",
        );
        sqlx::query(AssertSqlSafe(table)).persistent(false).execute(ctx.tx()).await?;
        Ok(())
    }

    async fn clear(
        &mut self,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        let delete = self.sql("DELETE FROM @");
        sqlx::query(AssertSqlSafe(delete)).persistent(false).execute(ctx.tx()).await?;
        Ok(())
    }
}

impl Project<Account> for PostgresAccounts {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, PostgresTarget>,
    ) -> Result<(), HandlerError> {
        let (id, revision) = (event.entity.id(), revision(event)?);
        let change = Change::of(&event.event)?;
        let statement = self.sql(match change {
            Change::Open { .. } => "INSERT INTO @ (id, revision, owner, balance, is_open) VALUES ($1, $2, $3, 0, TRUE)",
            Change::Move { .. } => {
                "UPDATE @ SET balance = balance + $3, revision = $2 WHERE id = $1 AND revision = $2 - 1"
            }
            Change::Close => "UPDATE @ SET is_open = FALSE, revision = $2 WHERE id = $1 AND revision = $2 - 1",
        });
        let statement =
            sqlx::query(AssertSqlSafe(statement)).persistent(false).bind(id).bind(revision);
        let statement = match change {
            Change::Open { owner } => statement.bind(owner),
            Change::Move { by } => statement.bind(by),
            Change::Close => statement,
        };
        expect_one(statement.execute(ctx.tx()).await?.rows_affected(), event)
    }
}
