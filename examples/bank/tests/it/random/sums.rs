use super::trouble::Trouble;
use actum::{
    HandlerError, PostgresTarget, Project, ProjectCtx, Projection, Projector, Recorded,
    SqliteTarget,
};
use bank::domain::{Account, AccountEvent};
use sqlx::AssertSqlSafe;
use std::sync::Arc;

/// Keeps of each account what is on it, how many events it has and the number of its last one.
#[derive(Clone)]
pub(super) struct Sums<T> {
    pub(super) target: T,
    /// The table, with its schema.
    pub(super) table: Arc<str>,
    pub(super) trouble: Trouble,
}

impl<T> Sums<T> {
    fn sql(&self, text: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(text.replace('@', &self.table))
    }
}

/// What an event adds to its account, or takes from it.
fn change(event: &Recorded<AccountEvent>) -> Result<i64, HandlerError> {
    Ok(match &event.event {
        AccountEvent::Deposited { amount } => i64::try_from(amount.minor_units())?,
        AccountEvent::Withdrawn { amount } => -i64::try_from(amount.minor_units())?,
        AccountEvent::Opened { .. } | AccountEvent::Closed => 0,
    })
}

fn nr(event: &Recorded<AccountEvent>) -> Result<i64, HandlerError> {
    Ok(i64::try_from(event.sequence_nr.get())?)
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS @ (
    account TEXT PRIMARY KEY, sum BIGINT NOT NULL, events BIGINT NOT NULL, last BIGINT NOT NULL
)";
/// It adds whatever is there, so an event that is handled twice, or not at all, stays to be seen.
const ADD: &str = "INSERT INTO @ AS t (account, last, sum, events) VALUES ($1, $2, $3, 1)
    ON CONFLICT (account) DO UPDATE SET sum = t.sum + excluded.sum, events = t.events + 1, last = excluded.last";
const CLEAR: &str = "DELETE FROM @";

/// The same for both databases, whose connections have nothing in common.
macro_rules! sums_in {
    ($target:ty) => {
        impl Sums<$target> {
            pub(super) fn projection(self) -> Projection<Self> {
                Projection::exact("sums", self.target.clone(), self).from::<Account>()
            }
        }

        impl Projector for Sums<$target> {
            type Target = $target;

            async fn set_up(
                &mut self,
                ctx: &mut ProjectCtx<'_, $target>,
            ) -> Result<(), HandlerError> {
                sqlx::query(self.sql(CREATE)).execute(ctx.tx()).await?;
                Ok(())
            }

            async fn clear(
                &mut self,
                ctx: &mut ProjectCtx<'_, $target>,
            ) -> Result<(), HandlerError> {
                sqlx::query(self.sql(CLEAR)).execute(ctx.tx()).await?;
                Ok(())
            }
        }

        impl Project<Account> for Sums<$target> {
            async fn project(
                &mut self,
                event: &Recorded<AccountEvent>,
                ctx: &mut ProjectCtx<'_, $target>,
            ) -> Result<(), HandlerError> {
                let (nr, by) = (nr(event)?, change(event)?);
                let add = sqlx::query(self.sql(ADD)).bind(event.entity.id()).bind(nr).bind(by);
                add.execute(ctx.tx()).await?;
                // last: a handler that fails has written something
                self.trouble.meet(event).await
            }
        }
    };
}

sums_in!(SqliteTarget);
sums_in!(PostgresTarget);
