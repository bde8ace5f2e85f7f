//! Events of a lane.

use crate::{
    entity_pages::stored_event, fence::lane_head, place::Places, readers::Reader, session::column,
};
use actum_model::{EntityKey, Lane, Partition, Position};
use actum_persistence::store::{EventFilter, JournalEvent, LanePage, PageLimit, PageRoom};
use serde_json::json;
use sqlx::sqlite::SqliteRow;

/// How many events one filtered read looks at, so that a filter that nothing passes does not read the whole journal.
const LOOKED_AT_MAX: i64 = 10_000;

/// What is read where.
#[derive(Clone, Copy)]
pub(crate) struct LaneRead<'a> {
    pub(crate) lane: Lane,
    pub(crate) after: Position,
    pub(crate) filter: &'a EventFilter,
    pub(crate) limit: PageLimit,
}

/// The head of the lane, and the first event a filtered read does not look at any more, if the lane is that long.
const BOUNDS: &str = "
    SELECT (SELECT max(place) FROM events WHERE place BETWEEN ?1 AND ?2), kept,
        CASE WHEN ?3 THEN (
            SELECT place FROM events WHERE place > ?4 AND place <= ?2 ORDER BY place LIMIT 1 OFFSET ?5
        ) END
    FROM lanes WHERE lane = ?6";

/// Events between two places. A part of the filter that is NULL lets everything pass.
const EVENTS: &str = "
    WITH wanted (manifest) AS MATERIALIZED (SELECT value FROM json_each(?5))
    SELECT n.partition, e.sequence_nr, e.place, e.incarnation, e.event_nr,
        e.timestamp, e.codec, e.manifest, e.schema_version, e.payload, e.metadata, n.kind, n.id
    FROM events AS e CROSS JOIN entities AS n ON n.entity = e.entity
    WHERE e.place > ?1 AND e.place <= ?2
        AND (?4 IS NULL OR n.kind IN (SELECT value FROM json_each(?4)))
        AND (?5 IS NULL OR EXISTS (
            SELECT 1 FROM wanted AS w
            WHERE e.manifest = w.manifest OR substr(e.manifest, 1, length(w.manifest) + 1) = w.manifest || '.'
        ))
        AND n.partition BETWEEN ?6 AND ?7
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
    let end = bounds(reader, read, places).await?;
    let mut page = LanePage::new(Vec::new(), read.after.max(end));
    if end <= read.after {
        return Ok(page);
    }
    let (mut room, mut failed) = (PageRoom::new(read.limit), None);
    let query = events(read, places, end);
    let rows = reader.rows_while(query, |row| {
        match journal_event(row, places) {
            Ok(event) if room.take(&event.event) => page.events.push(event),
            Ok(_) => {}
            Err(error) => failed = Some(error),
        }
        failed.is_none() && !room.is_full()
    });
    rows.await?;
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some(last) = page.events.last().filter(|_| room.is_full()) {
        page.read_to = last.event.position;
    }
    Ok(page)
}

/// The last position the read looks at.
async fn bounds(
    reader: &mut Reader<'_>,
    read: LaneRead<'_>,
    places: Places,
) -> Result<Position, sqlx::Error> {
    let query = sqlx::query(BOUNDS)
        .bind(places.before(read.lane))
        .bind(places.end(read.lane))
        .bind(*read.filter != EventFilter::default())
        .bind(places.place_at_most(read.lane, read.after))
        .bind(LOOKED_AT_MAX)
        .bind(read.lane.nr());
    let rows = reader.rows(query).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let unseen: Option<i64> = column(row, 2)?;
    match unseen {
        Some(place) => Ok(places.position(place - 1)),
        None => lane_head(row, 0, places),
    }
}

fn events(read: LaneRead<'_>, places: Places, end: Position) -> crate::session::Statement<'_> {
    let list = |texts: &[String]| (!texts.is_empty()).then(|| json!(texts).to_string());
    let partitions = read.filter.partitions.as_ref();
    let (first, last) =
        partitions.map_or((0, u16::MAX), |range| (range.start().nr(), range.end().nr()));
    sqlx::query(EVENTS)
        .bind(places.place_at_most(read.lane, read.after))
        .bind(places.place_at_most(read.lane, end))
        .bind(read.limit.events.get())
        .bind(list(&read.filter.kinds))
        .bind(list(&read.filter.manifests))
        .bind(first)
        .bind(last)
}

fn journal_event(row: &SqliteRow, places: Places) -> Result<JournalEvent, sqlx::Error> {
    let (kind, id): (String, String) = (column(row, 11)?, column(row, 12)?);
    let entity = EntityKey::new(kind, id).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let partition = Partition::new(column(row, 0)?);
    let event = stored_event(row, places.position(column(row, 2)?))?;
    Ok(JournalEvent { entity, partition, event })
}
