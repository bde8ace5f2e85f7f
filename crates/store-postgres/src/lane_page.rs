//! Events of a lane.

use crate::{fault::store_error, row::Row, store::Shared};
use actum_model::{Lane, Position};
use actum_persistence::store::{
    EventFilter, InLane, JournalEvent, LaneAnswer, LanePage, PageLimit, StoreError, StoredRow,
    integer, partition_bounds,
};

const DOING: &str = "reading a lane";

/// What is read where: events, or what another filter is for.
pub(crate) struct LaneRead<'a, F = EventFilter> {
    pub(crate) lane: Lane,
    pub(crate) after: Position,
    pub(crate) filter: &'a F,
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
    let (kinds, manifests) = (names(&read.filter.kinds), names(&read.filter.manifests));
    let (first, last) = partition_bounds(read.filter.partitions.as_ref());
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(i32::from(read.lane.nr()))
            .bind(integer::bound(read.after.get()))
            .bind(*read.filter != EventFilter::default())
            .bind(i64::from(LaneAnswer::looked_at_max(read.limit)))
            .bind(kinds)
            .bind(manifests)
            .bind(i32::from(first))
            .bind(i32::from(last))
            .bind(i64::from(read.limit.events.get()))
            .bind(integer::bound(read.limit.bytes as u64))
    };
    let rows = shared.connections.read(DOING, statement).await?;
    let event = |row: &Row| JournalEvent::of_row(row, Position::new(row.count(2)?));
    let answer = LaneAnswer::new(read.after, read.limit);
    page(answer, &rows, 2, event).map_err(|error| store_error(DOING, error))
}

/// Names of a filter: none let everything pass.
pub(crate) fn names(names: &Vec<String>) -> Option<&Vec<String>> {
    (!names.is_empty()).then_some(names)
}

/// The page of these rows: of one with nothing in its second column, which has the last position that is looked at in the
/// column `reached`, and of an item each.
pub(crate) fn page<T: InLane>(
    mut answer: LaneAnswer<T>,
    rows: &[Row],
    reached: usize,
    item: impl Fn(&Row) -> Result<T, sqlx::Error>,
) -> Result<T::Page, sqlx::Error> {
    let mut items = Vec::with_capacity(rows.len().saturating_sub(1));
    for row in rows {
        match row.optional_number(1)? {
            None => answer.reach(Position::new(row.count(reached)?)),
            Some(_) => items.push(item(row)?),
        }
    }
    // the server sends them in order, though it does not have to
    items.sort_by_key(T::position);
    for item in items {
        if !answer.add(item) {
            break;
        }
    }
    Ok(answer.finish())
}
