//! Events of an entity, the newest first.

use crate::{fault::store_error, row::Row, store::Shared};
use actum_model::{EntityKey, Position, SequenceNr};
use actum_persistence::store::{
    BackwardAnswer, EntityPage, PageLimit, StoreError, StoredEvent, StoredRow, integer,
};
use std::cmp::Reverse;

const DOING: &str = "reading an entity backward";

/// One row with head and floor, recognised by its missing position, and the events up to `$3`, each weighed with
/// those before it as in `entity_pages.rs`.
const QUERY: &str = "
    WITH asked AS MATERIALIZED (
        SELECT n.entity, n.floor, h.head
        FROM (SELECT * FROM @entities AS n WHERE n.kind = $1 AND n.id = $2 LIMIT 1) AS n
        CROSS JOIN LATERAL (
            SELECT coalesce((
                SELECT e.sequence_nr FROM @events AS e
                WHERE e.entity = n.entity AND e.sequence_nr > n.floor ORDER BY e.sequence_nr DESC LIMIT 1
            ), n.floor) AS head
        ) AS h
    )
    SELECT a.floor AS nr, a.head AS sequence_nr, NULL::bigint AS position, NULL::bigint AS incarnation,
        NULL::bigint AS event_nr, NULL::bigint AS timestamp, NULL::text AS codec, NULL::text AS manifest,
        NULL::bigint AS schema_version, NULL::bytea AS payload, NULL::bytea AS metadata
    FROM asked AS a
    UNION ALL
    SELECT NULL, v.sequence_nr, v.position, v.incarnation, v.event_nr, v.timestamp, v.codec, v.manifest,
        v.schema_version, v.payload, v.metadata
    FROM asked AS a
    CROSS JOIN LATERAL (
        SELECT e.*, sum(octet_length(e.payload) + octet_length(e.metadata))
            OVER (ORDER BY e.sequence_nr DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS weight_before
        FROM @events AS e
        WHERE e.entity = a.entity AND e.sequence_nr > a.floor AND e.sequence_nr <= $3
        ORDER BY e.sequence_nr DESC LIMIT $4
    ) AS v
    WHERE v.weight_before IS NULL OR v.weight_before <= $5";

/// Reads the page in front of `before`.
pub(crate) async fn read(
    shared: &Shared,
    entity: &EntityKey,
    before: SequenceNr,
    limit: PageLimit,
) -> Result<EntityPage, StoreError> {
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(entity.kind())
            .bind(entity.id())
            .bind(integer::bound(before.previous().get()))
            .bind(i64::from(limit.events.get()))
            .bind(integer::bound(limit.bytes as u64))
    };
    let rows = shared.connections.read(DOING, statement).await?;
    let page = page(entity, before, limit, &rows);
    page.map_err(|error| store_error(DOING, error))
}

fn page(
    entity: &EntityKey,
    before: SequenceNr,
    limit: PageLimit,
    rows: &[Row],
) -> Result<EntityPage, sqlx::Error> {
    let (mut numbers, mut events) = (None, Vec::with_capacity(rows.len()));
    for row in rows {
        match row.optional_number(2)? {
            None => numbers = Some((row.reached(1)?, row.reached(0)?)),
            Some(_) => events.push(StoredEvent::of_row(row, Position::new(row.count(2)?))?),
        }
    }
    let Some(numbers) = numbers else { return Ok(EntityPage::default()) };
    // the server sends them in order, though it does not have to
    events.sort_by_key(|event| Reverse(event.sequence_nr));
    let mut answer = BackwardAnswer::new(entity, numbers, before, limit);
    for event in events {
        answer.add(event).map_err(Row::unfit)?;
    }
    answer.finish().map_err(Row::unfit)
}
