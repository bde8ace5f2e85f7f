//! Events of a lane.

use crate::{fault::store_error, row::Row, store::Shared};
use actum_model::{Lane, Position};
use actum_persistence::store::{
    EventFilter, JournalEvent, LaneAnswer, LanePage, PageLimit, StoreError, StoredRow, integer,
};

const DOING: &str = "reading a lane";

/// What is read where.
#[derive(Clone, Copy)]
pub(crate) struct LaneRead<'a> {
    pub(crate) lane: Lane,
    pub(crate) after: Position,
    pub(crate) filter: &'a EventFilter,
    pub(crate) limit: PageLimit,
}

/// One row with the last position that is looked at, recognised by its missing sequence number; and the events up to
/// there that pass the filter, of which a part that is NULL lets everything pass. An event whose entity is missing
/// passes too: it is corrupt, and must not be overlooked. As in `entity_pages.rs`, with what the events before weigh.
const QUERY: &str = "
    WITH bounds AS MATERIALIZED (
        SELECT coalesce(
            CASE WHEN $3 THEN (
                SELECT e.position - 1 FROM @events AS e
                WHERE e.lane = $1 AND e.position > $2 ORDER BY e.position OFFSET $4 LIMIT 1
            ) END,
            (
                SELECT e.position FROM @events AS e
                WHERE e.lane = $1 AND e.position > l.kept ORDER BY e.position DESC LIMIT 1
            ),
            l.kept
        ) AS read_to
        FROM @lanes AS l WHERE l.lane = $1
    )
    SELECT NULL::bigint AS partition, NULL::bigint AS sequence_nr, b.read_to, NULL::bigint AS incarnation,
        NULL::bigint AS event_nr, NULL::bigint AS timestamp, NULL::text AS codec, NULL::text AS manifest,
        NULL::bigint AS schema_version, NULL::bytea AS payload, NULL::bytea AS metadata, NULL::text AS kind,
        NULL::text AS id
    FROM bounds AS b
    UNION ALL
    SELECT v.partition::bigint, v.sequence_nr, v.position, v.incarnation, v.event_nr, v.timestamp, v.codec, v.manifest,
        v.schema_version, v.payload, v.metadata, v.kind, v.id
    FROM (
        SELECT e.*, n.partition, n.kind, n.id, sum(octet_length(e.payload) + octet_length(e.metadata))
            OVER (ORDER BY e.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS weight_before
        FROM @events AS e LEFT JOIN LATERAL (
            SELECT * FROM @entities AS n WHERE n.entity = e.entity LIMIT 1
        ) AS n ON TRUE
        WHERE e.lane = $1 AND e.position > $2 AND e.position <= (SELECT b.read_to FROM bounds AS b)
            AND ($5::text[] IS NULL OR n.kind IS NULL OR n.kind = ANY ($5))
            AND ($6::text[] IS NULL OR EXISTS (
                SELECT FROM unnest($6) AS w (manifest)
                WHERE e.manifest = w.manifest OR starts_with(e.manifest, w.manifest || '.')
            ))
            AND (n.partition IS NULL OR n.partition BETWEEN $7 AND $8)
        ORDER BY e.position LIMIT $9
    ) AS v
    WHERE v.weight_before IS NULL OR v.weight_before <= $10";

/// Reads a page of a lane that the journal has.
pub(crate) async fn read(shared: &Shared, read: LaneRead<'_>) -> Result<LanePage, StoreError> {
    let list = |texts: &'_ Vec<String>| (!texts.is_empty()).then(|| texts.clone());
    let (kinds, manifests) = (list(&read.filter.kinds), list(&read.filter.manifests));
    let partitions = read.filter.partitions.as_ref();
    let (first, last) =
        partitions.map_or((0, u16::MAX), |range| (range.start().nr(), range.end().nr()));
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(i32::from(read.lane.nr()))
            .bind(integer::bound(read.after.get()))
            .bind(*read.filter != EventFilter::default())
            .bind(i64::from(LaneAnswer::LOOKED_AT_MAX))
            .bind(&kinds)
            .bind(&manifests)
            .bind(i32::from(first))
            .bind(i32::from(last))
            .bind(i64::from(read.limit.events.get()))
            .bind(integer::bound(read.limit.bytes as u64))
    };
    let rows = shared.connections.read(DOING, statement).await?;
    page(read, &rows).map_err(|error| store_error(DOING, error))
}

fn page(read: LaneRead<'_>, rows: &[Row]) -> Result<LanePage, sqlx::Error> {
    let mut answer = LaneAnswer::new(read.after, read.limit);
    let mut events = Vec::with_capacity(rows.len().saturating_sub(1));
    for row in rows {
        let position = Position::new(row.count(2)?);
        match row.optional_number(1)? {
            None => answer.reach(position),
            Some(_) => events.push(JournalEvent::of_row(row, position)?),
        }
    }
    // the server sends them in order, though it does not have to
    events.sort_by_key(|read| read.event.position);
    for event in events {
        if !answer.add(event) {
            break;
        }
    }
    Ok(answer.finish())
}
