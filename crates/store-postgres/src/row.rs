use crate::fault::cause;
use actum_persistence::store::StoredRow;
use bytes::Bytes;
use sqlx::{Postgres, Row as _, postgres::PgRow};
use std::error::Error;

/// A row that PostgreSQL has returned.
pub(crate) struct Row(pub(crate) PgRow);

/// A column of a row, as the type the schema gives it.
pub(crate) fn column<'r, T>(row: &'r Row, index: usize) -> Result<T, sqlx::Error>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    row.0.try_get(index)
}

impl StoredRow for Row {
    type Error = sqlx::Error;

    /// As `WITH ORDINALITY` does.
    const LIST_STARTS_AT: i64 = 1;

    fn optional_number(&self, index: usize) -> Result<Option<i64>, sqlx::Error> {
        column(self, index)
    }

    fn optional_text(&self, index: usize) -> Result<Option<String>, sqlx::Error> {
        column(self, index)
    }

    fn optional_bytes(&self, index: usize) -> Result<Option<Bytes>, sqlx::Error> {
        Ok(column::<Option<Vec<u8>>>(self, index)?.map(Bytes::from))
    }

    fn unfit(why: impl Into<Box<dyn Error + Send + Sync>>) -> sqlx::Error {
        sqlx::Error::Decode(why.into())
    }

    fn describe(error: sqlx::Error) -> String {
        cause(error).to_string()
    }
}
