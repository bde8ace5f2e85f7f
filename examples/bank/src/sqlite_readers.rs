use actum::SqliteTarget;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

/// Connections that read what projections have written to the file of a journal.
pub(crate) fn sqlite_readers(target: &SqliteTarget) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(target.path()).read_only(true);
    // one that is idle holds no file open that a test, or a person, wants to move away
    SqlitePoolOptions::new().min_connections(0).max_connections(2).connect_lazy_with(options)
}
