use super::{EventId, Incarnation};
use actum_model::{Revision, SequenceNr, StoredPayload, Timestamp};
use bytes::Bytes;
use std::{borrow::Cow, error::Error};

/// A row that a database has returned, read by the index of its columns: for stores that keep counts as
/// [integers](super::integer) of 64 bits.
///
/// A store says how a column is taken out of its rows. What a column must satisfy to be a value is decided here, the same
/// for every store: each method fails for a column that does not, by an error that names it.
pub trait StoredRow: Sized {
    /// Why a row cannot be read.
    type Error;

    /// From which number on the database counts the entries of a list that it is asked about.
    const LIST_STARTS_AT: i64;

    /// An integer; `None` if there is none.
    fn optional_number(&self, index: usize) -> Result<Option<i64>, Self::Error>;

    /// A text; `None` if there is none.
    fn optional_text(&self, index: usize) -> Result<Option<String>, Self::Error>;

    /// Bytes; `None` if there are none.
    fn optional_bytes(&self, index: usize) -> Result<Option<Bytes>, Self::Error>;

    /// The error of a row that can be read, and cannot be right.
    fn unfit(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self::Error;

    /// What an error says.
    fn describe(error: Self::Error) -> String;

    /// The error of a column that cannot be right.
    fn damaged(index: usize, what: impl Into<Cow<'static, str>>) -> Self::Error {
        Self::unfit(DamagedColumn { index, what: what.into() })
    }

    /// An integer that must be there.
    fn number(&self, index: usize) -> Result<i64, Self::Error> {
        self.optional_number(index)?.ok_or_else(|| missing::<Self>(index))
    }

    /// A text that must be there.
    fn text(&self, index: usize) -> Result<String, Self::Error> {
        self.optional_text(index)?.ok_or_else(|| missing::<Self>(index))
    }

    /// Bytes that must be there.
    fn bytes(&self, index: usize) -> Result<Bytes, Self::Error> {
        self.optional_bytes(index)?.ok_or_else(|| missing::<Self>(index))
    }

    /// A count.
    fn count(&self, index: usize) -> Result<u64, Self::Error> {
        let value = self.number(index)?;
        u64::try_from(value).map_err(|_| Self::damaged(index, format!("{value} is not a count")))
    }

    /// The number of something there is: these count from 1.
    fn ordinal(&self, index: usize) -> Result<u64, Self::Error> {
        match self.count(index)? {
            0 => Err(Self::damaged(index, "0 is the number of nothing")),
            nr => Ok(nr),
        }
    }

    /// The sequence number of an event or a snapshot.
    fn sequence_nr(&self, index: usize) -> Result<SequenceNr, Self::Error> {
        self.ordinal(index).map(SequenceNr::new)
    }

    /// The sequence number an entity has reached; zero before its first event.
    fn reached(&self, index: usize) -> Result<SequenceNr, Self::Error> {
        self.count(index).map(SequenceNr::new)
    }

    /// The revision of a state.
    fn revision(&self, index: usize) -> Result<Revision, Self::Error> {
        self.ordinal(index).map(Revision::new)
    }

    /// A time.
    fn timestamp(&self, index: usize) -> Result<Timestamp, Self::Error> {
        self.number(index).map(Timestamp::from_micros)
    }

    /// An event id: the incarnation in the column `index`, the number in the next.
    fn event_id(&self, index: usize) -> Result<EventId, Self::Error> {
        let incarnation = Incarnation::new(self.ordinal(index)?);
        Ok(EventId { incarnation, nr: self.number(index + 1)?.cast_unsigned() })
    }

    /// A payload: codec, manifest, schema version and bytes in the columns from `index`.
    fn payload(&self, index: usize) -> Result<StoredPayload, Self::Error> {
        let version = self.number(index + 2)?;
        Ok(StoredPayload {
            codec: Cow::Owned(self.text(index)?),
            manifest: Cow::Owned(self.text(index + 1)?),
            schema_version: version.try_into().map_err(|_| {
                Self::damaged(index + 2, format!("{version} is not a schema version"))
            })?,
            bytes: self.bytes(index + 3)?,
        })
    }

    /// A payload as [`payload`](Self::payload) reads it, or none: then all of its columns are empty.
    fn optional_payload(&self, index: usize) -> Result<Option<StoredPayload>, Self::Error> {
        let is_none = self.optional_text(index)?.is_none()
            && self.optional_text(index + 1)?.is_none()
            && self.optional_number(index + 2)?.is_none()
            && self.optional_bytes(index + 3)?.is_none();
        if is_none { Ok(None) } else { self.payload(index).map(Some) }
    }

    /// Which entry of a list of `count` the row belongs to, counted from 0: its first column says so.
    fn entry(&self, count: usize) -> Result<usize, Self::Error> {
        let nr = usize::try_from(self.number(0)?.wrapping_sub(Self::LIST_STARTS_AT)).ok();
        nr.filter(|nr| *nr < count)
            .ok_or_else(|| Self::damaged(0, "the answer is about an entity that was not asked for"))
    }
}

/// A column of a row that cannot be right.
#[derive(Debug, thiserror::Error)]
#[error("column {index}: {what}")]
pub struct DamagedColumn {
    index: usize,
    what: Cow<'static, str>,
}

fn missing<R: StoredRow>(index: usize) -> R::Error {
    R::damaged(index, "there is no value")
}

/// What the rows of an answer say, in the order of a list of `count` that was asked about; `None` for entries without a
/// row.
///
/// # Errors
/// What `read` returns, or the error of a row that [belongs](StoredRow::entry) to no entry.
pub fn in_order_asked<R: StoredRow, T>(
    rows: &[R],
    count: usize,
    read: impl Fn(&R) -> Result<T, R::Error>,
) -> Result<Vec<Option<T>>, R::Error> {
    let mut found: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    for row in rows {
        found[row.entry(count)?] = Some(read(row)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::test_row::{Column, TestRow, numbers};

    fn says<T: std::fmt::Debug>(read: Result<T, String>, expected: &str) {
        assert_eq!(read.unwrap_err(), expected);
    }

    #[test]
    fn a_number_that_cannot_be_is_damage_and_its_column_is_named() {
        let row = numbers([0, -3, i64::MIN, 7]);
        says(row.sequence_nr(0), "column 0: 0 is the number of nothing");
        says(row.revision(0), "column 0: 0 is the number of nothing");
        says(row.event_id(0), "column 0: 0 is the number of nothing");
        says(row.sequence_nr(1), "column 1: -3 is not a count");
        says(row.reached(1), "column 1: -3 is not a count");
        says(row.count(2), "column 2: -9223372036854775808 is not a count");
        assert_eq!(row.reached(0), Ok(SequenceNr::ZERO));
        assert_eq!(row.sequence_nr(3), Ok(SequenceNr::new(7)));
        says(TestRow(vec![Column::None]).count(0), "column 0: there is no value");
    }

    #[test]
    fn the_number_of_an_event_has_all_64_bits() {
        let id = numbers([1, -1]).event_id(0).unwrap();
        assert_eq!(id, EventId { incarnation: Incarnation::new(1), nr: u64::MAX });
    }

    #[test]
    fn a_payload_is_there_with_all_its_parts_or_with_none() {
        let whole = [
            Column::Text("utf8"),
            Column::Text("deposited"),
            Column::Number(4),
            Column::Bytes(b"12345"),
        ];
        let payload = TestRow(whole.to_vec()).payload(0).unwrap();
        assert_eq!((&*payload.codec, &*payload.manifest), ("utf8", "deposited"));
        assert_eq!((payload.schema_version, &*payload.bytes), (4, &b"12345"[..]));
        assert_eq!(TestRow(whole.to_vec()).optional_payload(0), Ok(Some(payload)));
        assert_eq!(TestRow(vec![Column::None; 4]).optional_payload(0), Ok(None));
        for gone in 0..4 {
            let mut part = whole.to_vec();
            part[gone] = Column::None;
            let expected = format!("column {gone}: there is no value");
            says(TestRow(part.clone()).optional_payload(0), &expected);
            says(TestRow(part).payload(0), &expected);
            let mut alone = vec![Column::None; 4];
            alone[gone] = whole[gone].clone();
            assert!(TestRow(alone).optional_payload(0).is_err(), "{gone}");
        }
        for version in [-1, 1 << 32] {
            let mut damaged = whole.to_vec();
            damaged[2] = Column::Number(version);
            let expected = format!("column 2: {version} is not a schema version");
            says(TestRow(damaged).payload(0), &expected);
        }
    }

    #[test]
    fn answers_come_in_the_order_asked_and_one_about_something_else_is_damage() {
        let rows = [numbers([3, 30]), numbers([1, 10])];
        let found = in_order_asked(&rows, 3, |row| row.number(1));
        assert_eq!(found, Ok(vec![Some(10), None, Some(30)]));
        for nr in [0, 4, -1, i64::MIN, i64::MAX] {
            let found = in_order_asked(&[numbers([nr, 10])], 3, |row| row.number(1));
            says(found, "column 0: the answer is about an entity that was not asked for");
        }
    }
}
