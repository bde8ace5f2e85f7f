//! Changes of durable states.

use crate::{
    lane_page::{LaneRead, names, page},
    readers::Reader,
    row::{Row, column},
    session::Statement,
    writer::WriteTx,
};
use actum_model::{Lane, Offset, Position};
use actum_persistence::store::{
    ChangeFilter, ChangePage, ChangedState, JournalLayout, LaneAnswer, StateWrite, StoreError,
    StoredRow, integer, partition_bounds,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The last change of the lane, and the first one a filtered read does not look at any more, if there are so many.
const BOUNDS: &str = "
    SELECT (SELECT max(position) FROM states WHERE lane = ?1),
        CASE WHEN ?2 THEN (
            SELECT position FROM states WHERE lane = ?1 AND position > ?3 ORDER BY position LIMIT 1 OFFSET ?4
        ) END";

/// Changes between two positions. A part of the filter that is NULL lets everything pass. A change whose entity is missing
/// passes too: it is corrupt, and must not be overlooked.
const CHANGES: &str = "
    SELECT n.partition, s.revision, s.incarnation, s.write_nr, s.timestamp, s.codec, s.manifest, s.schema_version,
        s.state, n.kind, n.id, s.position
    FROM states AS s LEFT JOIN entities AS n ON n.entity = s.entity
    WHERE s.lane = ?1 AND s.position > ?2 AND s.position <= ?3
        AND (?5 IS NULL OR n.kind IS NULL OR n.kind IN (SELECT value FROM json_each(?5)))
        AND (n.partition IS NULL OR n.partition BETWEEN ?6 AND ?7)
    ORDER BY s.position LIMIT ?4";

/// Reads a page of the changes of a lane that the journal has.
///
/// Two statements, which may see two states of the file: what has moved in between has a position behind what the first
/// one says, and nothing is ever committed in front of it.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    read: LaneRead<'_, ChangeFilter>,
) -> Result<ChangePage, sqlx::Error> {
    let end = bounds(reader, &read).await?;
    let mut answer = LaneAnswer::new(read.after, read.limit);
    answer.reach(end);
    if end <= read.after {
        return Ok(answer.finish());
    }
    let change = |row: &Row| ChangedState::of_row(row, Position::new(row.ordinal(11)?));
    page(reader, answer, changes(&read, end), change).await
}

/// The last position the read looks at.
async fn bounds(
    reader: &mut Reader<'_>,
    read: &LaneRead<'_, ChangeFilter>,
) -> Result<Position, sqlx::Error> {
    let query = sqlx::query(BOUNDS)
        .bind(read.lane.nr())
        .bind(*read.filter != ChangeFilter::default())
        .bind(integer::bound(read.after.get()))
        .bind(LaneAnswer::looked_at_max(read.limit));
    let rows = reader.rows(query).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    match row.optional_number(1)? {
        Some(_) => Ok(Position::new(row.ordinal(1)? - 1)),
        None => head(row, 0),
    }
}

fn changes<'q>(read: &LaneRead<'_, ChangeFilter>, end: Position) -> Statement<'q> {
    let (first, last) = partition_bounds(read.filter.partitions.as_ref());
    sqlx::query(CHANGES)
        .bind(read.lane.nr())
        .bind(integer::bound(read.after.get()))
        .bind(integer::bound(end.get()))
        .bind(read.limit.events.get())
        .bind(names(&read.filter.kinds))
        .bind(first)
        .bind(last)
}

/// The position of the last change in every lane.
pub(crate) async fn heads(
    reader: &mut Reader<'_>,
    layout: JournalLayout,
) -> Result<Result<Offset, StoreError>, sqlx::Error> {
    let query = "SELECT (SELECT max(position) FROM states AS s WHERE s.lane = l.lane)
        FROM lanes AS l ORDER BY l.lane";
    let rows = reader.rows(sqlx::query(query)).await?;
    let heads: Result<Vec<_>, _> = rows.iter().map(|row| head(row, 0)).collect();
    Ok(layout.offset_of(heads?))
}

/// The lane and the position that each of these writes gets, in their order: behind the last change of its lane. The
/// transaction has the lock on the file, so no one else gets the same.
pub(crate) async fn positions_for(
    tx: &mut WriteTx<'_>,
    layout: JournalLayout,
    writes: &[&StateWrite],
) -> Result<Vec<(Lane, Position)>, StoreError> {
    let lane_of = |write: &StateWrite| Lane::of_partition(write.partition, layout.lanes);
    let lanes: BTreeSet<Lane> = writes.iter().map(|write| lane_of(write)).collect();
    let lanes: Vec<u16> = lanes.into_iter().map(Lane::nr).collect();
    let query =
        "SELECT value, (SELECT max(position) FROM states WHERE lane = value) FROM json_each(?)";
    let rows = tx.rows(sqlx::query(query).bind(json!(lanes).to_string())).await?;
    let last = |row: &Row| Ok((column::<u16>(row, 0)?, head(row, 1)?));
    let last: Result<BTreeMap<_, _>, sqlx::Error> = rows.iter().map(last).collect();
    let mut last = last.map_err(|error| tx.failed(error))?;
    let next = |write: &&StateWrite| {
        let lane = lane_of(write);
        let last = last.entry(lane.nr()).or_insert(Position::ZERO);
        *last = last.plus(1);
        (lane, *last)
    };
    Ok(writes.iter().map(next).collect())
}

fn head(row: &Row, index: usize) -> Result<Position, sqlx::Error> {
    match row.optional_number(index)? {
        Some(_) => row.count(index).map(Position::new),
        None => Ok(Position::ZERO),
    }
}
