//! Everything that projections keep beside the journal.

use crate::{
    account_list::AccountList,
    statements::{Statements, Zone},
};
use actum::{PostgresStore, ProjectionRegistration, SqliteStore};
use std::time::Duration;

/// What the projections of a bank keep.
#[derive(Clone, Debug)]
pub struct ReadModels {
    /// The list of all accounts.
    pub list: AccountList,
    /// The statement of each account, and the totals of each day.
    pub statements: Statements,
}

impl ReadModels {
    /// Those in the file of this journal, with the days of `zone`.
    #[must_use]
    pub fn in_file(store: &SqliteStore, zone: Zone) -> Self {
        let (list, statements) = (AccountList::in_file(store), Statements::in_file(store, zone));
        Self { list, statements }
    }

    /// Those in the database of this journal, in `schema`, with the days of `zone`.
    #[must_use]
    pub fn in_database(store: &PostgresStore, schema: &str, zone: Zone) -> Self {
        let list = AccountList::in_database(store, schema);
        Self { list, statements: Statements::in_database(store, schema, zone) }
    }

    /// What keeps them. Events that come within `interval` go into one transaction each: the journal is in the same
    /// database, and commits of orders come first.
    pub(crate) fn projections(&self, interval: Duration) -> [ProjectionRegistration; 2] {
        [self.list.projection(interval), self.statements.projection(interval)]
    }
}
