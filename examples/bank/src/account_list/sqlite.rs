use super::{
    PROJECTION,
    row::{Change, ListedAccount, expect_one, listed, revision},
};
use crate::{
    domain::{Account, AccountEvent},
    sqlite_readers::sqlite_readers,
};
use actum::{
    HandlerError, OnFailure, Project, ProjectCtx, Projection, Projector, Recorded, SqliteStore,
    SqliteTarget,
};
use sqlx::SqlitePool;
use std::num::NonZeroU32;

/// The list in the file of the journal.
#[derive(Clone, Debug)]
pub struct SqliteAccounts {
    target: SqliteTarget,
    readers: SqlitePool,
}

impl SqliteAccounts {
    pub(super) fn beside(store: &SqliteStore) -> Self {
        let target = SqliteTarget::of(store);
        let readers = sqlite_readers(&target);
        Self { target, readers }
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
        let query = "SELECT id, owner, balance, is_open, revision FROM bank_accounts WHERE id > ? ORDER BY id LIMIT ?";
        let rows =
            sqlx::query_as(query).bind(after).bind(limit.get()).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().map(listed).collect())
    }
}

impl Projector for SqliteAccounts {
    type Target = SqliteTarget;

    async fn set_up(&mut self, ctx: &mut ProjectCtx<'_, SqliteTarget>) -> Result<(), HandlerError> {
        let table = "CREATE TABLE IF NOT EXISTS bank_accounts (
                id TEXT PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL, is_open INTEGER NOT NULL,
                revision INTEGER NOT NULL
            ) WITHOUT ROWID";
        sqlx::query(table).execute(ctx.tx()).await?;
        Ok(())
    }

    async fn clear(&mut self, ctx: &mut ProjectCtx<'_, SqliteTarget>) -> Result<(), HandlerError> {
        sqlx::query("DELETE FROM bank_accounts").execute(ctx.tx()).await?;
        Ok(())
    }
}

impl Project<Account> for SqliteAccounts {
    async fn project(
        &mut self,
        event: &Recorded<AccountEvent>,
        ctx: &mut ProjectCtx<'_, SqliteTarget>,
    ) -> Result<(), HandlerError> {
        let (id, revision) = (event.entity.id(), revision(event)?);
        let statement = match Change::of(&event.event)? {
            Change::Open { owner } => {
                let insert = "INSERT INTO bank_accounts (id, owner, balance, is_open, revision) VALUES (?, ?, 0, TRUE, ?)";
                sqlx::query(insert).bind(id).bind(owner).bind(revision)
            }
            Change::Move { by } => {
                let update = "UPDATE bank_accounts SET balance = balance + ?1, revision = ?3 WHERE id = ?2 AND revision = ?3 - 1";
                sqlx::query(update).bind(by).bind(id).bind(revision)
            }
            Change::Close => {
                let update = "UPDATE bank_accounts SET is_open = FALSE, revision = ?2 WHERE id = ?1 AND revision = ?2 - 1";
                sqlx::query(update).bind(id).bind(revision)
            }
        };
        expect_one(statement.execute(ctx.tx()).await?.rows_affected(), event)
    }
}
