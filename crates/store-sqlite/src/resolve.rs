//! Settles writes whose outcome is unknown.
//!
//! Both begin with the lock on the file, so whatever was sent before is committed or never will be, with one exception:
//! a commit that failed because the disk did. SQLite takes it for not done, and so does every process that runs. But
//! its frames may be in the write-ahead log, and count when the log is read again after a crash. So a reader that finds
//! something not stored commits a change, which overwrites them: in `journal.settled`.

use crate::{entities, place::Places, session::column, values, writer::WriteTx};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventAt, LastWrite, Resolution, StateBatch,
    StateOutcome, StoreError,
};
use sqlx::sqlite::SqliteRow;

/// The outcome of each append of a batch.
pub(crate) async fn appends<'b>(
    tx: &mut WriteTx<'_>,
    batch: &'b AppendBatch,
    places: Places,
) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
    let entry = |append: &'b EntityAppend| {
        let last = append.last_sequence_nr().get();
        (append.entity.kind(), append.entity.id(), values::bound(last))
    };
    let list: Vec<_> = batch.appends.iter().map(entry).collect();
    let list = serde_json::to_string(&list).expect("texts and numbers have a JSON form");
    let query = "SELECT w.key, v.place, v.incarnation, v.event_nr, e.floor
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        LEFT JOIN events AS v ON v.entity = e.entity AND v.sequence_nr = w.value ->> 2";
    let rows = tx.rows(sqlx::query(query).bind(list)).await?;
    let mut settled = vec![Resolution::NotStored; batch.appends.len()];
    for row in &rows {
        let nr = entities::number(row, settled.len())?;
        let append = &batch.appends[nr];
        let floor = values::reached(row, 4).map_err(|error| tx.failed(error))?;
        let last = last_event(row, places).map_err(|error| tx.failed(error))?;
        settled[nr] = Resolution::of_append(append, batch.incarnation, last, floor);
    }
    settle(tx, settled).await
}

/// The outcome of each write of a batch.
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
        let stored = last_write(row).map_err(|error| tx.failed(error))?;
        settled[nr] = Resolution::of_write(write, batch.incarnation, Some(stored));
    }
    settle(tx, settled).await
}

/// What the table has at the number of the last event of an append.
fn last_event(row: &SqliteRow, places: Places) -> Result<Option<EventAt>, sqlx::Error> {
    let Some(place) = column::<Option<i64>>(row, 1)? else { return Ok(None) };
    let (position, event_id) = (places.position(place), values::event_id(row, 2)?);
    Ok(Some(EventAt { position, event_id }))
}

fn last_write(row: &SqliteRow) -> Result<LastWrite, sqlx::Error> {
    Ok(LastWrite { revision: values::revision(row, 1)?, write_id: values::event_id(row, 2)? })
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
