//! Events of a lane.

use crate::{fence::lane_head, place::Places, readers::Reader, row::Row, session::Statement};
use actum_model::{Lane, Position};
use actum_persistence::store::{
    EventFilter, InLane, JournalEvent, LaneAnswer, LanePage, PageLimit, StoredRow, partition_bounds,
};
use serde_json::json;

/// What is read where: events, or what another filter is for.
pub(crate) struct LaneRead<'a, F = EventFilter> {
    pub(crate) lane: Lane,
    pub(crate) after: Position,
    pub(crate) filter: &'a F,
    pub(crate) limit: PageLimit,
}

/// The head of the lane, and the first event a filtered read does not look at any more, if the lane is that long.
const BOUNDS: &str = "
    SELECT (SELECT max(place) FROM events WHERE place BETWEEN ?1 AND ?2), kept,
        CASE WHEN ?3 THEN (
            SELECT place FROM events WHERE place > ?4 AND place <= ?2 ORDER BY place LIMIT 1 OFFSET ?5
        ) END
    FROM lanes WHERE lane = ?6";

/// Events between two places. A part of the filter that is NULL lets everything pass. An event whose entity is missing
/// passes too: it is corrupt, and must not be overlooked.
const EVENTS: &str = "
    WITH wanted (manifest) AS MATERIALIZED (SELECT value FROM json_each(?5))
    SELECT n.partition, e.sequence_nr, e.place, e.incarnation, e.event_nr,
        e.timestamp, e.codec, e.manifest, e.schema_version, e.payload, e.metadata, n.kind, n.id
    FROM events AS e LEFT JOIN entities AS n ON n.entity = e.entity
    WHERE e.place > ?1 AND e.place <= ?2
        AND (?4 IS NULL OR n.kind IS NULL OR n.kind IN (SELECT value FROM json_each(?4)))
        AND (?5 IS NULL OR EXISTS (
            SELECT 1 FROM wanted AS w
            WHERE e.manifest = w.manifest OR substr(e.manifest, 1, length(w.manifest) + 1) = w.manifest || '.'
        ))
        AND (n.partition IS NULL OR n.partition BETWEEN ?6 AND ?7)
    ORDER BY e.place LIMIT ?3";

/// Reads a page of a lane that the journal has.
///
/// Two statements, which may see two states of the file: what the first one says is committed stays, and nothing is
/// ever committed in front of it.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    read: LaneRead<'_>,
    places: Places,
) -> Result<LanePage, sqlx::Error> {
    let end = bounds(reader, &read, places).await?;
    let mut answer = LaneAnswer::new(read.after, read.limit);
    answer.reach(end);
    if end <= read.after {
        return Ok(answer.finish());
    }
    let event = |row: &Row| JournalEvent::of_row(row, places.position(row.number(2)?));
    page(reader, answer, events(&read, places, end), event).await
}

/// The page of the rows that come, an item each, as long as there is room.
pub(crate) async fn page<T: InLane + Send>(
    reader: &mut Reader<'_>,
    mut answer: LaneAnswer<T>,
    query: Statement<'_>,
    mut item: impl FnMut(&Row) -> Result<T, sqlx::Error> + Send,
) -> Result<T::Page, sqlx::Error> {
    let mut failed = None;
    let rows = reader.rows_while(query, |row| {
        item(row).map_or_else(
            |error| {
                failed = Some(error);
                false
            },
            |item| answer.add(item),
        )
    });
    rows.await?;
    failed.map_or_else(|| Ok(answer.finish()), Err)
}

/// The last position the read looks at.
async fn bounds(
    reader: &mut Reader<'_>,
    read: &LaneRead<'_>,
    places: Places,
) -> Result<Position, sqlx::Error> {
    let query = sqlx::query(BOUNDS)
        .bind(places.before(read.lane))
        .bind(places.end(read.lane))
        .bind(*read.filter != EventFilter::default())
        .bind(places.place_at_most(read.lane, read.after))
        .bind(LaneAnswer::looked_at_max(read.limit))
        .bind(read.lane.nr());
    let rows = reader.rows(query).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    match row.optional_number(2)? {
        Some(place) => Ok(places.position(place - 1)),
        None => lane_head(row, 0, places),
    }
}

fn events<'q>(read: &LaneRead<'_>, places: Places, end: Position) -> Statement<'q> {
    let (first, last) = partition_bounds(read.filter.partitions.as_ref());
    sqlx::query(EVENTS)
        .bind(places.place_at_most(read.lane, read.after))
        .bind(places.place_at_most(read.lane, end))
        .bind(read.limit.events.get())
        .bind(names(&read.filter.kinds))
        .bind(names(&read.filter.manifests))
        .bind(first)
        .bind(last)
}

/// Names of a filter: none let everything pass.
pub(crate) fn names(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| json!(names).to_string())
}
