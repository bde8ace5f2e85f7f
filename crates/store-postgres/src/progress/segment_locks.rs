use super::key::{of_projection, segment};
use crate::{
    fault::store_error,
    row::Row,
    session::{Session, Statement},
    texts::Texts,
    transaction::Failed,
};
use actum_persistence::{
    progress::{Epoch, ProjectionId, Segment},
    store::StoredRow,
};

/// A transaction that changes what is kept of a projection as a whole, or several segments.
pub(super) struct Locking<'a> {
    pub(super) doing: &'static str,
    pub(super) texts: &'a Texts,
    pub(super) projection: &'a ProjectionId,
}

impl Locking<'_> {
    /// Locks the segments of a projection, in order, and returns the epoch of each; none if there is no such projection.
    /// Nothing about a projection's segments changes until the transaction ends.
    pub(super) async fn lock(
        &self,
        session: &mut Session,
    ) -> Result<Option<Vec<(Segment, Epoch)>>, Failed> {
        let lock = "SELECT 1 FROM @projections WHERE name = $1 AND version = $2 FOR NO KEY UPDATE";
        if self.rows(session, self.statement(lock)).await?.is_empty() {
            return Ok(None);
        }
        // only now: another transaction may have divided them
        let lock = "SELECT first::bigint, last::bigint, epoch FROM @segments AS s
            WHERE name = $1 AND version = $2 ORDER BY s.first FOR UPDATE";
        let rows = self.rows(session, self.statement(lock)).await?;
        let seen: Result<Vec<_>, _> = rows.iter().map(seen).collect();
        Ok(Some(seen.map_err(|error| store_error(self.doing, error))?))
    }

    /// A statement whose first arguments name the projection.
    pub(super) fn statement(&self, text: &'static str) -> Statement<'_> {
        of_projection(sqlx::query(self.texts.of(text)), self.projection)
    }

    pub(super) async fn rows(
        &self,
        session: &mut Session,
        statement: Statement<'_>,
    ) -> Result<Vec<Row>, Failed> {
        session.rows(statement).await.map_err(|error| Failed::of(self.doing, error))
    }
}

fn seen(row: &Row) -> Result<(Segment, Epoch), sqlx::Error> {
    Ok((segment(row, 0)?, Epoch::new(row.count(2)?)))
}
