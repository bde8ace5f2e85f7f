//! Settles writes whose outcome is unknown.
//!
//! Both begin with the lock on the file, so whatever was sent before is committed or never will be, with one exception:
//! a commit that failed because the disk did. SQLite takes it for not done, and so does every process that runs. But
//! its frames may be in the write-ahead log, and count when the log is read again after a crash. So a reader that finds
//! something not stored commits a change, which overwrites them: in `journal.settled`.

use crate::{entities, place::Places, row::Row, writer::WriteTx};
use actum_persistence::store::{
    AppendBatch, AppendOutcome, EntityAppend, EventAt, LastWrite, Resolution, StateBatch,
    StateOutcome, StoreError, StoredRow, in_order_asked, integer,
};

/// The outcome of each append of a batch.
pub(crate) async fn appends<'b>(
    tx: &mut WriteTx<'_>,
    batch: &'b AppendBatch,
    places: Places,
) -> Result<Vec<Resolution<AppendOutcome>>, StoreError> {
    let entry = |append: &'b EntityAppend| {
        let last = append.last_sequence_nr().get();
        (append.entity.kind(), append.entity.id(), integer::bound(last))
    };
    let list: Vec<_> = batch.appends.iter().map(entry).collect();
    let list = serde_json::to_string(&list).expect("texts and numbers have a JSON form");
    let query = "SELECT w.key, v.place, v.incarnation, v.event_nr, e.floor
        FROM json_each(?) AS w
        CROSS JOIN entities AS e ON e.kind = w.value ->> 0 AND e.id = w.value ->> 1
        LEFT JOIN events AS v ON v.entity = e.entity AND v.sequence_nr = w.value ->> 2";
    let rows = tx.rows(sqlx::query(query).bind(list)).await?;
    let found = |row: &Row| Ok((last_event(row, places)?, row.reached(4)?));
    let found = in_order_asked(&rows, batch.appends.len(), found);
    let found = found.map_err(|error| tx.failed(error))?;
    settle(tx, Resolution::of_appends(batch, found)).await
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
    let found = in_order_asked(&rows, batch.writes.len(), LastWrite::of_row);
    let found = found.map_err(|error| tx.failed(error))?;
    settle(tx, Resolution::of_writes(batch, found)).await
}

/// What the table has at the number of the last event of an append.
fn last_event(row: &Row, places: Places) -> Result<Option<EventAt>, sqlx::Error> {
    let place = row.optional_number(1)?;
    place.map(|place| EventAt::of_row(row, places.position(place))).transpose()
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
