use crate::session::Statement;

/// A statement about many rows of one projection, and these rows: arguments behind those that name the projection, mostly an
/// array for each column.
pub(super) struct RowArrays {
    pub(super) text: &'static str,
    pub(super) columns: Vec<Array>,
}

/// A column of some rows, or what all have in common.
pub(super) enum Array {
    Text(String),
    Number(i64),
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

impl RowArrays {
    pub(super) fn bind(self, statement: Statement<'_>) -> Statement<'_> {
        self.columns.into_iter().fold(statement, |statement, column| match column {
            Array::Text(text) => statement.bind(text),
            Array::Number(number) => statement.bind(number),
            Array::Texts(texts) => statement.bind(texts),
            Array::Numbers(numbers) => statement.bind(numbers),
        })
    }
}

/// A column of texts.
pub(super) fn texts<T>(rows: &[T], column: impl Fn(&T) -> String) -> Array {
    Array::Texts(rows.iter().map(column).collect())
}

/// A column of numbers.
pub(super) fn numbers<T>(rows: &[T], column: impl Fn(&T) -> i64) -> Array {
    Array::Numbers(rows.iter().map(column).collect())
}

/// A column of counts; fails for one that cannot be stored.
pub(super) fn counts<T>(
    rows: &[T],
    what: &str,
    column: impl Fn(&T) -> u64,
) -> Result<Array, actum_persistence::store::StoreError> {
    use actum_persistence::store::{StoreError, integer};
    let stored = |row| {
        let count = column(row);
        integer::stored(count)
            .ok_or_else(|| StoreError::invalid(format!("{count} is too large for {what}")))
    };
    rows.iter().map(stored).collect::<Result<_, _>>().map(Array::Numbers)
}
