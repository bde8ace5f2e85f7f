//! How a transaction of a writer begins: with the lock on the file, and the question whether the writer may still
//! write.
//!
//! Revoking takes the same lock, so it waits for the transactions before it, and those behind it see it.

use crate::{
    place::Places,
    room::Need,
    row::{Row, column},
    writer::{WriteTx, Writer},
};
use actum_model::{Lane, Position};
use actum_persistence::store::{Incarnation, StoreError, StoredRow, integer};

/// Begins a transaction of `incarnation` that writes more data.
pub(crate) async fn begin<'a>(
    writer: &'a Writer,
    doing: &'static str,
    incarnation: Incarnation,
) -> Result<WriteTx<'a>, StoreError> {
    let statement = sqlx::query(
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL)",
    );
    let statement = statement.bind(integer::incarnation(incarnation)?);
    let (mut tx, rows) = writer.begin_reading(doing, Need::Growth, statement).await?;
    let allowed = may_write(rows.first(), incarnation);
    if allowed.is_err() {
        tx.finish(allowed).await?;
    }
    Ok(tx)
}

/// Begins a transaction of `incarnation` that appends to `lane` or deletes from it, and says the lane's head.
pub(crate) async fn begin_in_lane<'a>(
    writer: &'a Writer,
    doing: &'static str,
    need: Need,
    incarnation: Incarnation,
    (lane, places): (Lane, Places),
) -> Result<(WriteTx<'a>, Position), StoreError> {
    let statement = sqlx::query(
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL),
            (SELECT max(place) FROM events WHERE place BETWEEN ? AND ?),
            (SELECT kept FROM lanes WHERE lane = ?)",
    );
    let statement = statement.bind(integer::incarnation(incarnation)?);
    let statement = statement.bind(places.before(lane)).bind(places.end(lane));
    let (mut tx, rows) = writer.begin_reading(doing, need, statement.bind(lane.nr())).await?;
    let head = may_write(rows.first(), incarnation)
        .and_then(|row| lane_head(row, 1, places).map_err(|error| tx.failed(error)));
    match head {
        Ok(head) => Ok((tx, head)),
        failed => tx.finish(failed).await.map(|head| (tx, head)),
    }
}

/// The head of a lane from two columns: the place of its last event, if there is one, and the position it kept of
/// those that were deleted.
pub(crate) fn lane_head(row: &Row, index: usize, places: Places) -> Result<Position, sqlx::Error> {
    let last: Option<i64> = column(row, index)?;
    let last = last.map_or(Position::ZERO, |place| places.position(place));
    let kept = Position::new(row.count(index + 1)?);
    Ok(last.max(kept))
}

fn may_write(row: Option<&Row>, incarnation: Incarnation) -> Result<&Row, StoreError> {
    let row =
        row.ok_or_else(|| StoreError::corrupt("a query without a condition has no answer"))?;
    match column::<bool>(row, 0) {
        Ok(true) => Ok(row),
        _ => Err(StoreError::Fenced { incarnation }),
    }
}
