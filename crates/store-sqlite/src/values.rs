//! Numbers and payloads, as SQLite keeps them.

use crate::session::column;
use actum_model::{Revision, SequenceNr, StoredPayload, Timestamp};
use actum_persistence::store::{EventId, Incarnation, StoreError};
use bytes::Bytes;
use sqlx::sqlite::SqliteRow;
use std::{borrow::Cow, error::Error};

/// A count as SQLite keeps it; none past 2^63 - 1.
pub(crate) fn stored(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}

/// A count as a bound of a query: nothing stored is past 2^63 - 1.
pub(crate) fn bound(count: u64) -> i64 {
    stored(count).unwrap_or(i64::MAX)
}

/// A count that was stored.
pub(crate) fn count(row: &SqliteRow, index: usize) -> Result<u64, sqlx::Error> {
    let value: i64 = column(row, index)?;
    u64::try_from(value).map_err(|error| decode(index, error))
}

/// A number that was stored of something there is, which counts from 1.
fn ordinal(row: &SqliteRow, index: usize) -> Result<u64, sqlx::Error> {
    match count(row, index)? {
        0 => Err(decode(index, "0 is the number of nothing")),
        nr => Ok(nr),
    }
}

/// The sequence number of an event or a snapshot.
pub(crate) fn sequence_nr(row: &SqliteRow, index: usize) -> Result<SequenceNr, sqlx::Error> {
    ordinal(row, index).map(SequenceNr::new)
}

/// How far an entity has got; zero before its first event.
pub(crate) fn reached(row: &SqliteRow, index: usize) -> Result<SequenceNr, sqlx::Error> {
    count(row, index).map(SequenceNr::new)
}

/// The revision of a state.
pub(crate) fn revision(row: &SqliteRow, index: usize) -> Result<Revision, sqlx::Error> {
    ordinal(row, index).map(Revision::new)
}

/// A moment that was stored.
pub(crate) fn timestamp(row: &SqliteRow, index: usize) -> Result<Timestamp, sqlx::Error> {
    column(row, index).map(Timestamp::from_micros)
}

/// Bytes that were stored.
pub(crate) fn bytes(row: &SqliteRow, index: usize) -> Result<Bytes, sqlx::Error> {
    column::<Vec<u8>>(row, index).map(Bytes::from)
}

/// An event id: the incarnation in the column `index`, the number in the next.
pub(crate) fn event_id(row: &SqliteRow, index: usize) -> Result<EventId, sqlx::Error> {
    let incarnation = Incarnation::new(ordinal(row, index)?);
    Ok(EventId { incarnation, nr: column::<i64>(row, index + 1)?.cast_unsigned() })
}

/// A payload: codec, manifest, schema version and bytes in the columns from `index`.
pub(crate) fn payload(row: &SqliteRow, index: usize) -> Result<StoredPayload, sqlx::Error> {
    let schema_version: i64 = column(row, index + 2)?;
    Ok(StoredPayload {
        codec: Cow::Owned(column(row, index)?),
        manifest: Cow::Owned(column(row, index + 1)?),
        schema_version: schema_version.try_into().map_err(|error| decode(index + 2, error))?,
        bytes: bytes(row, index + 3)?,
    })
}

/// A payload as [`payload`] reads it, or none: then all of its columns are NULL.
pub(crate) fn payload_or_none(
    row: &SqliteRow,
    index: usize,
) -> Result<Option<StoredPayload>, sqlx::Error> {
    let missing = [
        column::<Option<&str>>(row, index)?.is_none(),
        column::<Option<&str>>(row, index + 1)?.is_none(),
        column::<Option<i64>>(row, index + 2)?.is_none(),
        column::<Option<&[u8]>>(row, index + 3)?.is_none(),
    ];
    match missing.iter().position(|missing| *missing) {
        None => payload(row, index).map(Some),
        Some(_) if missing == [true; 4] => Ok(None),
        Some(part) => Err(decode(index + part, "a part of the payload is missing")),
    }
}

/// The incarnation of a writer as its key; fenced when no journal can have given it out.
pub(crate) fn incarnation(incarnation: Incarnation) -> Result<i64, StoreError> {
    stored(incarnation.get()).ok_or(StoreError::Fenced { incarnation })
}

fn decode(index: usize, source: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: index.to_string(), source: source.into() }
}
