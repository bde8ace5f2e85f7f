//! Events of entities, and the snapshots they follow: many entities in one statement, which sees one state of the
//! tables.

use crate::{
    entities::Names,
    fault::{cause, store_error},
    session::column,
    store::Shared,
    values,
};
use actum_model::{EntityKey, Position, Timestamp};
use actum_persistence::store::{
    Answered, EntityAnswer, NewestSnapshot, PageLimit, Snapshot, SnapshotRow, StoreError,
    StoredEvent, Wanted,
};
use sqlx::postgres::PgRow;
use std::error::Error;

/// A row for each entity that was ever written, told by its missing `position`: head, floor, and the newest snapshot
/// if it has one, with the timestamp of the event it covers. And the events of each, with what the events before them
/// on the page weigh, so that the server sends no more than the page holds and one: to take the rows of a statement
/// half way costs the connection.
///
/// Entities are looked up one by one: joined to the list they would be read all, by a plan that was made while they
/// were few and is kept.
const QUERY: &str = "
    WITH asked AS MATERIALIZED (
        SELECT w.nr, n.entity, n.floor, h.head, w.after, s.sequence_nr, s.timestamp, s.codec, s.manifest,
            s.schema_version, s.state, s.recent_commands
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[]) WITH ORDINALITY
            AS w (kind, id, after, snapshot, nr)
        CROSS JOIN LATERAL (
            SELECT * FROM @entities AS n WHERE n.kind = w.kind AND n.id = w.id LIMIT 1
        ) AS n
        CROSS JOIN LATERAL (
            SELECT coalesce((
                SELECT e.sequence_nr FROM @events AS e
                WHERE e.entity = n.entity AND e.sequence_nr > n.floor ORDER BY e.sequence_nr DESC LIMIT 1
            ), n.floor) AS head
        ) AS h
        LEFT JOIN LATERAL (
            SELECT * FROM @snapshots AS s WHERE w.snapshot AND s.entity = n.entity
            ORDER BY s.sequence_nr DESC LIMIT 1
        ) AS s ON TRUE
    )
    SELECT a.nr, a.sequence_nr, NULL::bigint AS position, a.head, a.floor, a.timestamp, a.codec, a.manifest,
        a.schema_version, a.state, a.recent_commands, (
            SELECT e.timestamp FROM @events AS e WHERE e.entity = a.entity AND e.sequence_nr = a.sequence_nr LIMIT 1
        ) AS covered
    FROM asked AS a
    UNION ALL
    SELECT a.nr, v.sequence_nr, v.position, v.incarnation, v.event_nr, v.timestamp, v.codec, v.manifest,
        v.schema_version, v.payload, v.metadata, NULL::bigint
    FROM asked AS a
    CROSS JOIN LATERAL (
        SELECT e.*, sum(octet_length(e.payload) + octet_length(e.metadata))
            OVER (ORDER BY e.sequence_nr ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS weight_before
        FROM @events AS e
        WHERE e.entity = a.entity AND e.sequence_nr > greatest(a.floor, a.after, a.sequence_nr)
        ORDER BY e.sequence_nr LIMIT $5
    ) AS v
    WHERE v.weight_before IS NULL OR v.weight_before <= $6";

/// Reads what is wanted, answers in its order.
pub(crate) async fn read(
    shared: &Shared,
    doing: &str,
    wanted: &[Wanted<'_>],
    limit: PageLimit,
) -> Result<Vec<Answered>, StoreError> {
    let names = Names::of(wanted.iter().map(|wanted| wanted.entity));
    let after: Vec<i64> = wanted.iter().map(|wanted| values::bound(wanted.after.get())).collect();
    let snapshots: Vec<bool> = wanted.iter().map(|wanted| wanted.snapshot).collect();
    let statement = || {
        sqlx::query(shared.texts.of(QUERY))
            .bind(&names.kinds)
            .bind(&names.ids)
            .bind(&after)
            .bind(&snapshots)
            .bind(i64::from(limit.events.get()))
            .bind(values::bound(limit.bytes as u64))
    };
    let rows = shared.connections.read(doing, statement).await?;
    let mut answers: Vec<_> =
        wanted.iter().map(|wanted| EntityAnswer::new(*wanted, limit)).collect();
    let placed = place(&mut answers, &rows)?;
    placed.map_err(|error| store_error(doing, error))?;
    let answered: Result<_, _> = answers.into_iter().map(EntityAnswer::finish).collect();
    answered.map_err(|missing| store_error(doing, wrong(missing)))
}

/// Puts rows where they belong, first those that come before the events. The server sends an entity's events in order,
/// though it does not have to: where it has not, a gap is found.
fn place(
    answers: &mut [EntityAnswer<'_>],
    rows: &[PgRow],
) -> Result<Result<(), sqlx::Error>, StoreError> {
    for events in [false, true] {
        for row in rows {
            let answer = &mut answers[values::nr(row, answers.len())?];
            let done = match column::<Option<i64>>(row, 2) {
                Ok(position) if position.is_some() != events => continue,
                Ok(None) => begin(answer, row),
                Ok(Some(_)) => add(answer, row),
                Err(error) => Err(error),
            };
            if done.is_err() {
                return Ok(done);
            }
        }
    }
    Ok(Ok(()))
}

/// An event from the columns behind the first: sequence number, position, incarnation, event number, timestamp, codec,
/// manifest, schema version, payload, metadata.
pub(crate) fn stored_event(row: &PgRow) -> Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        sequence_nr: values::sequence_nr(row, 1)?,
        position: Position::new(values::ordinal(row, 2)?),
        event_id: values::event_id(row, 3)?,
        timestamp: values::timestamp(row, 5)?,
        payload: values::payload(row, 6)?,
        metadata: values::bytes(row, 10)?,
    })
}

fn add(answer: &mut EntityAnswer<'_>, row: &PgRow) -> Result<(), sqlx::Error> {
    answer.add(stored_event(row)?).map(drop).map_err(wrong)
}

/// Takes the row that comes before the events of an entity.
fn begin(answer: &mut EntityAnswer<'_>, row: &PgRow) -> Result<(), sqlx::Error> {
    let newest = match column::<Option<i64>>(row, 1)? {
        None => None,
        Some(_) => Some(NewestSnapshot {
            snapshot: snapshot(row, answer.entity()).ok(),
            covered: column::<Option<i64>>(row, 11)?.map(Timestamp::from_micros),
        }),
    };
    answer.begin(values::reached(row, 3)?, values::reached(row, 4)?, newest);
    Ok(())
}

/// A snapshot from a row that has one.
fn snapshot(row: &PgRow, entity: &EntityKey) -> Result<Snapshot, sqlx::Error> {
    Ok(Snapshot {
        entity: entity.clone(),
        sequence_nr: values::sequence_nr(row, 1)?,
        timestamp: values::timestamp(row, 5)?,
        state: values::payload(row, 6)?,
        recent_commands: values::bytes(row, 10)?,
    })
}

/// A row that may be damaged, as [`snapshot`] reads it.
pub(crate) fn snapshot_row(row: &PgRow, entity: &EntityKey) -> Result<SnapshotRow, sqlx::Error> {
    let snapshot = snapshot(row, entity).map_err(|error| cause(error).to_string());
    Ok(SnapshotRow { sequence_nr: values::sequence_nr(row, 1)?, snapshot })
}

fn wrong(what: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}
