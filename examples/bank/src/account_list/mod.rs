//! The list of all accounts: rows beside the journal, in the same database, kept by an exact projection.
//!
//! Each account is one event after the other: an update names the revision in front of its own, so an event that were missing,
//! or came twice, would show at once.

mod postgres;
mod row;
mod sqlite;

pub use postgres::PostgresAccounts;
pub use row::ListedAccount;
pub(crate) use row::{expect_one, revision};
pub use sqlite::SqliteAccounts;

use crate::read_models::ProjectionPace;
use actum::{PostgresStore, ProjectionRegistration, SqliteStore};
use std::num::NonZeroU32;

/// The name of the projection.
pub const PROJECTION: &str = "accounts";

/// Where the list is.
#[derive(Clone, Debug)]
pub enum AccountList {
    /// In the file of the journal.
    Sqlite(SqliteAccounts),
    /// In the database of the journal.
    Postgres(PostgresAccounts),
}

impl AccountList {
    /// The list in the file of this journal.
    #[must_use]
    pub fn in_file(store: &SqliteStore) -> Self {
        Self::Sqlite(SqliteAccounts::beside(store))
    }

    /// The list in the database of this journal, in `schema`.
    #[must_use]
    pub fn in_database(store: &PostgresStore, schema: &str) -> Self {
        Self::Postgres(PostgresAccounts::beside(store, schema))
    }

    /// What keeps it.
    pub(crate) fn projection(&self, pace: ProjectionPace) -> ProjectionRegistration {
        match self {
            Self::Sqlite(accounts) => pace.of(accounts.projection()).into(),
            Self::Postgres(accounts) => pace.of(accounts.projection()).into(),
        }
    }

    /// Accounts in the order of the bytes of their ids: the first `limit` behind `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn page(&self, after: &str, limit: NonZeroU32) -> anyhow::Result<Vec<ListedAccount>> {
        match self {
            Self::Sqlite(accounts) => accounts.page(after, limit).await,
            Self::Postgres(accounts) => accounts.page(after, limit).await,
        }
    }
}
