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

/// Begins a transaction of `incarnation` that writes more data; where its writes name roles, says the version of the cluster.
pub(crate) async fn begin<'a>(
    writer: &'a Writer,
    doing: &'static str,
    incarnation: Incarnation,
    names_roles: bool,
) -> Result<(WriteTx<'a>, Option<i64>), StoreError> {
    let statement = if names_roles {
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL),
            ifnull((SELECT version FROM cluster), -1)"
    } else {
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL)"
    };
    let statement = sqlx::query(statement).bind(integer::incarnation(incarnation)?);
    let (mut tx, rows) = writer.begin_reading(doing, Need::Growth, statement).await?;
    let version = may_write(rows.first(), incarnation)
        .and_then(|row| version(row, 1, names_roles).map_err(|error| tx.failed(error)));
    match version {
        Ok(version) => Ok((tx, version)),
        failed => tx.finish(failed).await.map(|version| (tx, version)),
    }
}

/// What a transaction that appends to a lane, or deletes from it, finds there.
pub(crate) struct LaneStart {
    /// The lane's head.
    pub(crate) head: Position,
    /// The version of the cluster, where that was asked for.
    pub(crate) version: Option<i64>,
}

/// Begins a transaction of `incarnation` that appends to `lane` or deletes from it; where it names roles, with the version of
/// the cluster.
pub(crate) async fn begin_in_lane<'a>(
    writer: &'a Writer,
    (doing, need): (&'static str, Need),
    (incarnation, names_roles): (Incarnation, bool),
    (lane, places): (Lane, Places),
) -> Result<(WriteTx<'a>, LaneStart), StoreError> {
    let statement = if names_roles {
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL),
            (SELECT max(place) FROM events WHERE place BETWEEN ? AND ?),
            (SELECT kept FROM lanes WHERE lane = ?),
            ifnull((SELECT version FROM cluster), -1)"
    } else {
        "BEGIN IMMEDIATE;
        SELECT EXISTS (SELECT 1 FROM writers WHERE incarnation = ? AND revoked_at IS NULL),
            (SELECT max(place) FROM events WHERE place BETWEEN ? AND ?),
            (SELECT kept FROM lanes WHERE lane = ?)"
    };
    let statement = sqlx::query(statement).bind(integer::incarnation(incarnation)?);
    let statement = statement.bind(places.before(lane)).bind(places.end(lane));
    let (mut tx, rows) = writer.begin_reading(doing, need, statement.bind(lane.nr())).await?;
    let start = |row: &Row| {
        let head = lane_head(row, 1, places)?;
        Ok(LaneStart { head, version: version(row, 3, names_roles)? })
    };
    let start = may_write(rows.first(), incarnation)
        .and_then(|row| start(row).map_err(|error: sqlx::Error| tx.failed(error)));
    match start {
        Ok(start) => Ok((tx, start)),
        failed => tx.finish(failed).await.map(|start| (tx, start)),
    }
}

fn version(row: &Row, index: usize, is_there: bool) -> Result<Option<i64>, sqlx::Error> {
    if is_there { column(row, index).map(Some) } else { Ok(None) }
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
