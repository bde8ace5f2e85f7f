//! A row of plain values, for the tests of what is read from rows.

use super::StoredRow;
use bytes::Bytes;
use std::error::Error;

/// What a column holds.
#[derive(Clone, Debug)]
pub(super) enum Column {
    None,
    Number(i64),
    Text(&'static str),
    Bytes(&'static [u8]),
}

/// A row of such columns.
pub(super) struct TestRow(pub(super) Vec<Column>);

impl StoredRow for TestRow {
    type Error = String;
    const LIST_STARTS_AT: i64 = 1;

    fn optional_number(&self, index: usize) -> Result<Option<i64>, String> {
        match &self.0[index] {
            Column::None => Ok(None),
            Column::Number(value) => Ok(Some(*value)),
            other => Err(format!("{other:?} is no number")),
        }
    }

    fn optional_text(&self, index: usize) -> Result<Option<String>, String> {
        match &self.0[index] {
            Column::None => Ok(None),
            Column::Text(text) => Ok(Some((*text).to_owned())),
            other => Err(format!("{other:?} is no text")),
        }
    }

    fn optional_bytes(&self, index: usize) -> Result<Option<Bytes>, String> {
        match &self.0[index] {
            Column::None => Ok(None),
            Column::Bytes(bytes) => Ok(Some(Bytes::from_static(bytes))),
            other => Err(format!("{other:?} is no bytes")),
        }
    }

    fn unfit(why: impl Into<Box<dyn Error + Send + Sync>>) -> String {
        why.into().to_string()
    }

    fn describe(error: String) -> String {
        error
    }
}

/// A row of numbers.
pub(super) fn numbers<const N: usize>(values: [i64; N]) -> TestRow {
    TestRow(values.map(Column::Number).into())
}
