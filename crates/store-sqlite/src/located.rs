use crate::fault::Fault;
use sqlx::error::{DatabaseError, ErrorKind};
use std::{borrow::Cow, error::Error, fmt, path::Path, sync::Arc};

/// An error of SQLite about a file, which SQLite does not name.
#[derive(Debug)]
struct Located {
    error: Box<dyn DatabaseError>,
    path: Arc<Path>,
}

/// Adds the file to an error that is about it: a full disk, damaged pages, a failed read. Others, such as a lock that
/// is not free, stay as they are.
pub(crate) fn located(error: sqlx::Error, path: &Arc<Path>) -> sqlx::Error {
    match Fault::of(&error) {
        Fault::Full
        | Fault::ReadOnly
        | Fault::CannotOpen
        | Fault::NotADatabase
        | Fault::Corrupt
        | Fault::Other => {}
        Fault::Busy | Fault::Taken | Fault::TooBig => return error,
    }
    match error {
        sqlx::Error::Database(error) if error.try_downcast_ref::<Located>().is_none() => {
            sqlx::Error::Database(Box::new(Located { error, path: Arc::clone(path) }))
        }
        other => other,
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, in `{}`", self.error, self.path.display())
    }
}

impl Error for Located {}

impl DatabaseError for Located {
    fn message(&self) -> &str {
        self.error.message()
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.error.code()
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        self.error.kind()
    }
}
