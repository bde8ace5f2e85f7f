//! Deleting what is not needed any more, in steps: one deletes as much as there is room for.

use crate::{
    connection::PAGE_BYTES,
    place::Places,
    row::{Row, column},
    writer::WriteTx,
};
use actum_model::{EntityKey, Lane, Position, SequenceNr};
use actum_persistence::store::{EventDeletion, SnapshotDeletion, StoreError, StoredRow, integer};

/// How many events or snapshots one transaction deletes at most, so that others get their turn in between.
const DELETED_MAX: u64 = 1_000;

/// A lane with its head.
#[derive(Clone, Copy)]
pub(crate) struct PrunedLane {
    pub(crate) lane: Lane,
    pub(crate) places: Places,
    pub(crate) head: Position,
}

/// Deletes events of entities of `lane`, in their order, some of them if they are many, and says of how many entities all
/// are deleted: those of the next one may be deleted in part.
///
/// The lane and the entities keep their heads although their last event may go.
pub(crate) async fn delete_events(
    tx: &mut WriteTx<'_>,
    lane: PrunedLane,
    deletions: &[&EventDeletion],
) -> Result<usize, StoreError> {
    let mut step = step(tx).await;
    for (done, deletion) in deletions.iter().enumerate() {
        if step == 0 {
            return Ok(done);
        }
        let numbers = numbers_of(tx, &deletion.entity).await?;
        deletion.check_head(numbers.head)?;
        let up_to = readable_up_to(tx, lane, &numbers, deletion).await?;
        let floor = up_to.min(numbers.floor.plus(step));
        let count = floor.get().saturating_sub(numbers.floor.get());
        if count > 0 {
            delete_some(tx, lane, numbers.entity, floor).await?;
            tx.will_write(count * PAGE_BYTES);
            step -= count;
        }
        if floor < up_to {
            return Ok(done);
        }
    }
    Ok(deletions.len())
}

/// Up to which event all that may go are read by everyone: positions grow with sequence numbers.
async fn readable_up_to(
    tx: &mut WriteTx<'_>,
    PrunedLane { lane, places, head }: PrunedLane,
    numbers: &Numbers,
    deletion: &EventDeletion,
) -> Result<SequenceNr, StoreError> {
    let Some(read_to) = deletion.read_to.filter(|read_to| *read_to < head) else {
        return Ok(deletion.up_to);
    };
    // the plus keeps SQLite from walking the lane instead of the entity
    let query = "SELECT sequence_nr FROM events
        WHERE entity = ? AND sequence_nr <= ? AND +place <= ? ORDER BY sequence_nr DESC LIMIT 1";
    let query = sqlx::query(query).bind(numbers.entity).bind(integer::bound(deletion.up_to.get()));
    let rows = tx.rows(query.bind(places.place_at_most(lane, read_to))).await?;
    let newest = rows.first().map(|row| row.sequence_nr(0)).transpose();
    Ok(newest.map_err(|error| tx.failed(error))?.unwrap_or(numbers.floor))
}

/// Deletes the events of an entity up to `floor`.
async fn delete_some(
    tx: &mut WriteTx<'_>,
    PrunedLane { lane, head, .. }: PrunedLane,
    entity: i64,
    floor: SequenceNr,
) -> Result<(), StoreError> {
    let delete = "DELETE FROM events WHERE entity = ? AND sequence_nr <= ?";
    let raise = "UPDATE entities SET floor = ? WHERE entity = ?";
    let keep = "UPDATE lanes SET kept = ?1 WHERE lane = ?2 AND kept < ?1";
    let nr = integer::bound(floor.get());
    tx.execute(sqlx::query(delete).bind(entity).bind(nr)).await?;
    tx.execute(sqlx::query(raise).bind(nr).bind(entity)).await?;
    tx.execute(sqlx::query(keep).bind(integer::bound(head.get())).bind(lane.nr())).await
}

/// Deletes snapshots of entities, in their order, some of them if they are many, and says of how many entities all are
/// deleted.
pub(crate) async fn delete_snapshots(
    tx: &mut WriteTx<'_>,
    deletions: &[SnapshotDeletion],
) -> Result<usize, StoreError> {
    let statement = "DELETE FROM snapshots WHERE rowid IN (
            SELECT s.rowid FROM entities AS e CROSS JOIN snapshots AS s ON s.entity = e.entity
            WHERE e.kind = ? AND e.id = ? AND s.sequence_nr BETWEEN ? AND ?
            ORDER BY s.sequence_nr LIMIT ?
        ) RETURNING 1";
    let mut step = step(tx).await;
    for (done, SnapshotDeletion { entity, numbers, .. }) in deletions.iter().enumerate() {
        let (first, last) = (numbers.start().get(), numbers.end().get());
        let delete = sqlx::query(statement).bind(entity.kind()).bind(entity.id());
        let delete = delete.bind(integer::bound(first)).bind(integer::bound(last));
        let count = tx.rows(delete.bind(integer::bound(step))).await?.len() as u64;
        tx.will_write(count * PAGE_BYTES);
        step -= count;
        if step == 0 {
            return Ok(done); // there may be more of them
        }
    }
    Ok(deletions.len())
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

fn numbers(row: &Row) -> Result<Numbers, sqlx::Error> {
    let (floor, head) = (row.reached(1)?, row.reached(2)?);
    Ok(Numbers { entity: column(row, 0)?, head, floor })
}
