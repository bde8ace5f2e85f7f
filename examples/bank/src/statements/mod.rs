//! The statement of each account, line by line, and what was moved on each day: rows beside the journal, in the same database,
//! kept by one exact projection.
//!
//! Each line begins from the balance of the line in front of it, so an event that were missing, or came twice, would show at
//! once. The day is that of the event's own time in one [`Zone`]: whenever the rows are made, they are the same.

mod line;
mod postgres;
mod sqlite;
mod zone;

pub use line::{DayTotal, StatementLine};
pub use postgres::PostgresStatements;
pub use sqlite::SqliteStatements;
pub use zone::Zone;

use crate::read_models::ProjectionPace;
use actum::{PostgresStore, ProjectionRegistration, SqliteStore};
use std::num::NonZeroU32;

/// The name of the projection.
pub const PROJECTION: &str = "statements";

/// Where the statements are.
#[derive(Clone, Debug)]
pub enum Statements {
    /// In the file of the journal.
    Sqlite(SqliteStatements),
    /// In the database of the journal.
    Postgres(PostgresStatements),
}

impl Statements {
    /// The statements in the file of this journal, with the days of `zone`.
    #[must_use]
    pub fn in_file(store: &SqliteStore, zone: Zone) -> Self {
        Self::Sqlite(SqliteStatements::beside(store, zone))
    }

    /// The statements in the database of this journal, in `schema`, with the days of `zone`.
    #[must_use]
    pub fn in_database(store: &PostgresStore, schema: &str, zone: Zone) -> Self {
        Self::Postgres(PostgresStatements::beside(store, schema, zone))
    }

    /// What keeps them.
    #[must_use]
    pub fn projection(&self, pace: ProjectionPace) -> ProjectionRegistration {
        match self {
            Self::Sqlite(statements) => pace.of(statements.projection()).into(),
            Self::Postgres(statements) => pace.of(statements.projection()).into(),
        }
    }

    /// Lines of an account: the first `limit` behind the revision `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lines(
        &self,
        account: &str,
        after: u64,
        limit: NonZeroU32,
    ) -> anyhow::Result<Vec<StatementLine>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        match self {
            Self::Sqlite(statements) => statements.lines(account, after, limit).await,
            Self::Postgres(statements) => statements.lines(account, after, limit).await,
        }
    }

    /// Days on which something was moved, in order: the first `limit` behind `after`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn days(&self, after: &str, limit: NonZeroU32) -> anyhow::Result<Vec<DayTotal>> {
        match self {
            Self::Sqlite(statements) => statements.days(after, limit).await,
            Self::Postgres(statements) => statements.days(after, limit).await,
        }
    }

    /// Whose days they are.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        match self {
            Self::Sqlite(statements) => statements.zone(),
            Self::Postgres(statements) => statements.zone(),
        }
    }
}
