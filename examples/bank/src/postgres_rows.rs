use actum::{PostgresTarget, progress::ExactTarget};
use sqlx::{
    FromRow, Postgres,
    postgres::{PgArguments, PgRow},
    query::QueryAs,
};
use std::time::Duration;

/// How long a read may take.
const READ_MAX: Duration = Duration::from_secs(5);

/// What projections have written to the database of a journal.
pub(crate) async fn postgres_rows<R>(
    target: &PostgresTarget,
    query: QueryAs<'_, Postgres, R, PgArguments>,
) -> anyhow::Result<Vec<R>>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut tx = target.begin(READ_MAX).await?;
    let rows = query.persistent(false).fetch_all(PostgresTarget::connection(&mut tx)).await?;
    target.rollback(tx).await; // nothing was written
    Ok(rows)
}
