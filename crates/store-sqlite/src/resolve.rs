//! What became of writes whose outcome is unknown.
//!
//! Both begin with the lock on the file, so whatever was sent before is committed or never will be, with one exception:
//! a commit that failed because the disk did. SQLite takes it for not done, and so does every process that runs. But its
//! frames may be in the write-ahead log, and count when the log is read again after a crash. So whoever finds something
//! not stored commits a change, which overwrites them: in `journal.settled`.

use crate::{entities, place::Places, session::column, values, writer::WriteTx};
use actum_model::Revision;
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventId, Resolution, StateBatch, StateOutcome,
    StateWrite, StoreError,
};
use sqlx::sqlite::SqliteRow;

/// What became of each append of a batch.
pub(crate) async fn appends<'b>(
    tx: &mut WriteTx<'_>,
    batch: &'b AppendBatch,
    places: Places,
) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
    // events are stored all or none, so the last one speaks for all
    let entry = |append: &'b EntityAppend| {
        let last = append.expected.get().saturating_add(append.events.len() as u64);
        (append.entity.kind(), append.entity.id(), values::bound(last))
    };
    let list: Vec<_> = batch.appends.iter().map(entry).collect();
    let list = serde_json::to_string(&list).expect("texts and numbers have a JSON form");
    let query = "SELECT w.key, v.place, v.incarnation, v.event_nr, e.floor >= w.value ->> 2
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        LEFT JOIN events AS v ON v.entity = e.entity AND v.sequence_nr = w.value ->> 2";
    let rows = tx.rows(sqlx::query(query).bind(list)).await?;
    let mut settled = vec![Resolution::NotStored; batch.appends.len()];
    for row in &rows {
        let nr = entities::number(row, settled.len())?;
        let append = &batch.appends[nr];
        let id = append.event_id(batch.incarnation, append.events.len() - 1);
        settled[nr] = match found(row).map_err(|error| tx.failed(error))? {
            Found::Event { place, id: stored } => {
                let last = places.position(place);
                Resolution::of((stored == id).then_some(AppendOutcome::Appended { last }))
            }
            Found::Nothing => Resolution::NotStored,
            Found::Deleted => {
                let entity = &append.entity;
                Resolution::Untraceable { why: format!("the events of {entity} were deleted") }
            }
        };
    }
    settle(tx, settled).await
}

/// What became of each write of a batch.
pub(crate) async fn writes(
    tx: &mut WriteTx<'_>,
    batch: &StateBatch,
) -> Result<Vec<Resolution<StateOutcome>>, StoreError> {
    let query = "SELECT w.key, s.revision, s.incarnation, s.write_nr
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        CROSS JOIN states AS s ON s.entity = e.entity";
    let list = entities::list(batch.writes.iter().map(|write| &write.entity));
    let rows = tx.rows(sqlx::query(query).bind(list)).await?;
    let mut settled = vec![Resolution::NotStored; batch.writes.len()];
    for row in &rows {
        let nr = entities::number(row, settled.len())?;
        let write = &batch.writes[nr];
        let own = EventId { incarnation: batch.incarnation, nr: write.write_nr };
        let stored = values::event_id(row, 2).map_err(|error| tx.failed(error))?;
        let revision = values::revision(row, 1).map_err(|error| tx.failed(error))?;
        settled[nr] = state_outcome(write, revision, stored == own);
    }
    settle(tx, settled).await
}

/// What the table says of the last event of an append.
enum Found {
    Event { place: i64, id: EventId },
    Nothing,
    Deleted,
}

fn found(row: &SqliteRow) -> Result<Found, sqlx::Error> {
    let place: Option<i64> = column(row, 1)?;
    Ok(match place {
        Some(place) => Found::Event { place, id: values::event_id(row, 2)? },
        None if column::<bool>(row, 4)? => Found::Deleted,
        None => Found::Nothing,
    })
}

fn state_outcome(write: &StateWrite, stored: Revision, own: bool) -> Resolution<StateOutcome> {
    if own {
        return Resolution::Stored(StateOutcome::Written);
    }
    if stored <= write.revision {
        return Resolution::NotStored; // revisions only grow: the write was never there
    }
    let entity = &write.entity;
    Resolution::Untraceable { why: format!("{entity} was written again, up to revision {stored}") }
}

async fn settle<T>(
    tx: &mut WriteTx<'_>,
    settled: Vec<Resolution<T>>,
) -> Result<Vec<Resolution<T>>, StoreError> {
    if settled.iter().any(|found| found.stored().is_none()) {
        tx.execute(sqlx::query("UPDATE journal SET settled = settled + 1")).await?;
    }
    Ok(settled)
}
