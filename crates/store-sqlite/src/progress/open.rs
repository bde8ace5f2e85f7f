//! From a path to a file that keeps progress.

use super::{target_file::TargetFile, target_settings::SqliteTargetSettings};
use crate::{
    OpenError,
    connection::{Connector, Role},
    fault::store_error,
    open::{locate, watch, write_ahead},
    session::Session,
};
use actum_persistence::store::StoreError;
use std::path::Path;

/// Opens or creates the file at `path`.
pub(super) async fn open(
    path: &Path,
    settings: &SqliteTargetSettings,
) -> Result<TargetFile, StoreError> {
    let doing = format!("opening `{}` for projections", path.display());
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(StoreError::invalid(format!("{doing}: {}", problems.join("; "))));
    }
    let located = locate(path).map_err(|error| refusal(&doing, error))?;
    let mut connector = Connector { path: located.into(), settings: settings.of_connections() };
    let failed = |error| store_error(&doing, error);
    create(&connector).await.map_err(failed)?;
    // the same name for a process that comes by another one: the files beside it must be the same too
    let canonical = connector.path.canonicalize();
    connector.path = canonical.map_err(|error| StoreError::unavailable(&doing, error))?.into();
    let anchor = anchor(&connector).await.map_err(failed)?;
    let files = watch(&connector).await.map_err(|error| refusal(&doing, error))?;
    let file = TargetFile::own(connector, files, anchor);
    file.check_writable(&doing).await?;
    Ok(file)
}

/// Makes the file a database with a write-ahead log, if it is not one.
async fn create(connector: &Connector) -> Result<(), sqlx::Error> {
    let mut first = connector.session(Role::TargetCreator).await?;
    let done = write_ahead(first.connection(), connector.settings.busy_timeout).await;
    done.map_err(|error| connector.explained(error))?;
    first.close().await
}

/// Opens the connection that stays open for as long as the target, whatever happens to the others: from its first read on
/// it holds SQLite's shared lock, so that no one deletes the log, also where `shared_lock.rs` can do nothing.
async fn anchor(connector: &Connector) -> Result<Session, sqlx::Error> {
    let mut anchor = connector.session(Role::Reader).await?;
    anchor.rows(sqlx::query("SELECT count(*) FROM sqlite_schema")).await?;
    Ok(anchor)
}

fn refusal(doing: &str, error: OpenError) -> StoreError {
    match error {
        OpenError::InvalidPath { .. }
        | OpenError::MissingDirectory { .. }
        | OpenError::NotAFile { .. }
        | OpenError::Linked { .. } => StoreError::invalid(format!("{doing}: {}", why(error))),
        OpenError::Locked { source, .. } | OpenError::Disk { source, .. } => {
            StoreError::unavailable(doing, source)
        }
        error => StoreError::unavailable(doing, error),
    }
}

/// What is wrong with a path, without the journal that it is not for.
fn why(error: OpenError) -> String {
    match error {
        OpenError::InvalidPath { path, .. } if path == Path::new(":memory:") => {
            "a target in memory is one of its own, `MemoryTarget`".to_owned()
        }
        OpenError::InvalidPath { why, .. } => why.to_owned(),
        OpenError::MissingDirectory { directory, .. } => {
            format!("there is no directory `{}`", directory.display())
        }
        OpenError::NotAFile { .. } => "it is not a file".to_owned(),
        OpenError::Linked { names, .. } => format!(
            "it has {names} hard links, and a program that opens it by another name does not see its log: remove all but one"
        ),
        other => other.to_string(),
    }
}
