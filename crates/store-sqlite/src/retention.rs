//! Deleting what is not needed any more, in steps: one deletes as much as there is room for.

use crate::{connection::PAGE_BYTES, session::column, values, writer::WriteTx};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::StoreError;
use sqlx::sqlite::SqliteRow;
use std::ops::RangeInclusive;

/// How many events or snapshots one transaction deletes at most, so that others get their turn in between.
const DELETED_MAX: u64 = 1_000;

/// Deletes events of `entity` up to `up_to`, some of them if they are many, and says up to which they are deleted.
///
/// `lane` is the entity's, with its head: the lane and the entity keep their heads although their last event may go.
pub(crate) async fn delete_events(
    tx: &mut WriteTx<'_>,
    lane: (Lane, Position),
    entity: &EntityKey,
    up_to: SequenceNr,
) -> Result<SequenceNr, StoreError> {
    let numbers = numbers_of(tx, entity).await?;
    if up_to > numbers.head {
        let head = numbers.head;
        return Err(StoreError::invalid(format!(
            "events of {entity} cannot be deleted up to {up_to}, it has {head}"
        )));
    }
    if up_to <= numbers.floor {
        return Ok(numbers.floor);
    }
    let floor = up_to.min(numbers.floor.plus(step(tx).await));
    let delete = "DELETE FROM events WHERE entity = ? AND sequence_nr <= ?";
    let raise = "UPDATE entities SET floor = ? WHERE entity = ?";
    let keep = "UPDATE lanes SET kept = ?1 WHERE lane = ?2 AND kept < ?1";
    let nr = values::bound(floor.get());
    tx.execute(sqlx::query(delete).bind(numbers.entity).bind(nr)).await?;
    tx.execute(sqlx::query(raise).bind(nr).bind(numbers.entity)).await?;
    let (lane, head) = lane;
    tx.execute(sqlx::query(keep).bind(values::bound(head.get())).bind(lane.nr())).await?;
    tx.will_write((floor.get() - numbers.floor.get()) * PAGE_BYTES);
    Ok(floor)
}

/// Deletes snapshots of `entity` with these numbers, some of them if they are many, and says whether that was the rest.
pub(crate) async fn delete_snapshots(
    tx: &mut WriteTx<'_>,
    entity: &EntityKey,
    numbers: &RangeInclusive<SequenceNr>,
) -> Result<bool, StoreError> {
    let statement = "DELETE FROM snapshots WHERE rowid IN (
            SELECT s.rowid FROM entities AS e CROSS JOIN snapshots AS s ON s.entity = e.entity
            WHERE e.kind = ? AND e.id = ? AND s.sequence_nr BETWEEN ? AND ?
            ORDER BY s.sequence_nr LIMIT ?
        ) RETURNING 1";
    let (first, last) = (numbers.start().get(), numbers.end().get());
    let count_max = step(tx).await;
    let statement = sqlx::query(statement).bind(entity.kind()).bind(entity.id());
    let statement = statement.bind(values::bound(first)).bind(values::bound(last));
    let count = tx.rows(statement.bind(values::bound(count_max))).await?.len() as u64;
    tx.will_write(count * PAGE_BYTES);
    Ok(count < count_max)
}

/// How many rows are deleted now: each lies somewhere else, so it takes a page of the log.
async fn step(tx: &mut WriteTx<'_>) -> u64 {
    (tx.relief_bytes_max().await / PAGE_BYTES).clamp(1, DELETED_MAX)
}

/// The key of an entity, and what is left of its events.
#[derive(Default)]
struct Numbers {
    entity: i64,
    head: SequenceNr,
    floor: SequenceNr,
}

async fn numbers_of(tx: &mut WriteTx<'_>, entity: &EntityKey) -> Result<Numbers, StoreError> {
    let query = "SELECT entity, floor,
            max(floor, ifnull((SELECT max(sequence_nr) FROM events WHERE events.entity = entities.entity), 0))
        FROM entities WHERE kind = ? AND id = ?";
    let rows = tx.rows(sqlx::query(query).bind(entity.kind()).bind(entity.id())).await?;
    let Some(row) = rows.first() else { return Ok(Numbers::default()) };
    numbers(row).map_err(|error| tx.failed(error))
}

fn numbers(row: &SqliteRow) -> Result<Numbers, sqlx::Error> {
    let (floor, head) = (values::reached(row, 1)?, values::reached(row, 2)?);
    Ok(Numbers { entity: column(row, 0)?, head, floor })
}
