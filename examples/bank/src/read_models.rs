//! Everything that projections keep beside the journal.

use crate::{
    account_list::AccountList,
    statements::{Statements, Zone},
};
use actum::{PostgresStore, Projection, ProjectionRegistration, Projector, SqliteStore};
use std::time::Duration;

/// How projections run.
#[derive(Clone, Copy, Debug)]
pub struct ProjectionPace {
    /// Events that come within this time go into one transaction: the journal is in the same database, and commits of orders come
    /// first.
    pub interval: Duration,
    /// Into how many parts a projection is divided when it runs for the first time.
    pub segments: u16,
    /// How long a process that shows no sign of life keeps its parts.
    pub lease: Duration,
}

/// How long one change of the rows may take: longer than PostgreSQL waits for a lock, which blames no event, and short enough that
/// what a process that was stopped has under way is not in the way of others for long.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(5);

impl Default for ProjectionPace {
    fn default() -> Self {
        Self { interval: Duration::ZERO, segments: 1, lease: Duration::from_secs(10) }
    }
}

impl ProjectionPace {
    /// The projection at this pace.
    pub(crate) fn of<P: Projector>(self, projection: Projection<P>) -> Projection<P> {
        let Self { interval, segments, lease } = self;
        let projection = projection.batch_interval(interval).segments(segments.max(1));
        projection.lease(lease).handler_timeout(HANDLER_TIMEOUT)
    }
}

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

    /// What keeps them.
    #[must_use]
    pub fn projections(&self, pace: ProjectionPace) -> [ProjectionRegistration; 2] {
        [self.list.projection(pace), self.statements.projection(pace)]
    }
}
