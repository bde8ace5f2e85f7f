//! Changes of durable states.

use crate::{
    fault::store_error,
    lane_page::{LaneRead, names, page},
    row::Row,
    store::Shared,
};
use actum_model::{Offset, Position};
use actum_persistence::store::{
    ChangeFilter, ChangePage, ChangedState, JournalLayout, LaneAnswer, StoreError, StoredRow,
    integer, partition_bounds,
};

const DOING: &str = "reading changes of states";

/// As in `lane_page.rs`: one row with the last position that is looked at, recognised by its missing revision; and the changes up to there that
/// pass the filter, of which a part that is NULL lets everything pass. A change whose entity is missing passes too: it is
/// corrupt, and must not be overlooked.
const QUERY: &str = "
    WITH bounds AS MATERIALIZED (
        SELECT coalesce(
            CASE WHEN $3 THEN (
                SELECT s.position - 1 FROM @states AS s
                WHERE s.lane = $1 AND s.position > $2 ORDER BY s.position OFFSET $4 LIMIT 1
            ) END,
            (SELECT s.position FROM @states AS s WHERE s.lane = $1 ORDER BY s.position DESC LIMIT 1),
            0
        ) AS read_to
    )
    SELECT NULL::bigint AS partition, NULL::bigint AS revision, NULL::bigint AS incarnation, NULL::bigint AS write_nr,
        NULL::bigint AS timestamp, NULL::text AS codec, NULL::text AS manifest, NULL::bigint AS schema_version,
        NULL::bytea AS state, NULL::text AS kind, NULL::text AS id, b.read_to AS position
    FROM bounds AS b
    UNION ALL
    SELECT v.partition::bigint, v.revision, v.incarnation, v.write_nr, v.timestamp, v.codec, v.manifest, v.schema_version,
        v.state, v.kind, v.id, v.position
    FROM (
        SELECT s.*, n.partition, n.kind, n.id, sum(coalesce(octet_length(s.state), 0))
            OVER (ORDER BY s.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS weight_before
        FROM @states AS s LEFT JOIN LATERAL (
            SELECT * FROM @entities AS n WHERE n.entity = s.entity LIMIT 1
        ) AS n ON TRUE
        WHERE s.lane = $1 AND s.position > $2 AND s.position <= (SELECT b.read_to FROM bounds AS b)
            AND ($5::text[] IS NULL OR n.kind IS NULL OR n.kind = ANY ($5))
            AND (n.partition IS NULL OR n.partition BETWEEN $6 AND $7)
        ORDER BY s.position LIMIT $8
    ) AS v
    WHERE v.weight_before IS NULL OR v.weight_before <= $9";

/// Reads a page of the changes of a lane that the journal has.
pub(crate) async fn read(
    shared: &Shared,
    read: LaneRead<'_, ChangeFilter>,
) -> Result<ChangePage, StoreError> {
    let kinds = names(&read.filter.kinds);
    let (first, last) = partition_bounds(read.filter.partitions.as_ref());
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(i32::from(read.lane.nr()))
            .bind(integer::bound(read.after.get()))
            .bind(*read.filter != ChangeFilter::default())
            .bind(i64::from(LaneAnswer::looked_at_max(read.limit)))
            .bind(kinds)
            .bind(i32::from(first))
            .bind(i32::from(last))
            .bind(i64::from(read.limit.events.get()))
            .bind(integer::bound(read.limit.bytes as u64))
    };
    let rows = shared.connections.read(DOING, statement).await?;
    let change = |row: &Row| ChangedState::of_row(row, Position::new(row.ordinal(11)?));
    let answer = LaneAnswer::new(read.after, read.limit);
    page(answer, &rows, 11, change).map_err(|error| store_error(DOING, error))
}

/// The position of the last change in every lane.
pub(crate) async fn heads(shared: &Shared, layout: JournalLayout) -> Result<Offset, StoreError> {
    let doing = "reading the heads of changes";
    let query = "SELECT coalesce((
            SELECT s.position FROM @states AS s WHERE s.lane = l.lane ORDER BY s.position DESC LIMIT 1
        ), 0)
        FROM @lanes AS l ORDER BY l.lane";
    let rows = shared.connections.read(doing, || sqlx::query(shared.texts.of(query))).await?;
    let heads: Result<Vec<_>, _> = rows.iter().map(|row| row.count(0).map(Position::new)).collect();
    layout.offset_of(heads.map_err(|error| store_error(doing, error))?)
}
