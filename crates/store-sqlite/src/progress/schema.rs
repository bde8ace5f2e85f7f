//! The tables, and how they get there.

use super::target_tx::SqliteTx;
use crate::{row::column, session::Session};
use actum_persistence::store::StoreError;

/// What raises the schema to version 1, …: each runs on top of the one before, in one transaction with it.
const SCRIPTS: &[&str] = &[include_str!("v1.sql")];

/// The newest version.
pub(super) const VERSION: i64 = SCRIPTS.len() as i64;

/// Whether the tables of some version are there.
const ARE_THERE: &str =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'actum_progress'";

const FIND_VERSION: &str = "SELECT schema_version FROM actum_progress";

/// The version of the tables in a file; 0 if there are none.
pub(super) async fn version(session: &mut Session) -> Result<i64, sqlx::Error> {
    let tables = session.rows(sqlx::query(ARE_THERE)).await?;
    if column::<i64>(tables.first().ok_or(sqlx::Error::RowNotFound)?, 0)? == 0 {
        return Ok(0);
    }
    let rows = session.rows(sqlx::query(FIND_VERSION)).await?;
    column(rows.first().ok_or(sqlx::Error::RowNotFound)?, 0)
}

/// Makes the schema the newest, and says which one was there before; a newer one is left as it is.
///
/// Safe when several processes do it at once: each looks again once it has the lock on the file.
pub(super) async fn migrate(tx: &mut SqliteTx) -> Result<i64, StoreError> {
    let from = version(tx.session().session()).await.map_err(|error| tx.failed(error))?;
    for (script, version) in SCRIPTS.iter().zip(1..).skip_while(|(_, version)| *version <= from) {
        tx.change(sqlx::query(*script)).await?;
        tracing::info!(version, "raised the schema of the progress of projections");
    }
    if from < VERSION {
        let statement =
            "INSERT INTO actum_progress (one, schema_version, first_epoch) VALUES (1, ?1, 0)
            ON CONFLICT (one) DO UPDATE SET schema_version = ?1";
        tx.change(sqlx::query(statement).bind(VERSION)).await?;
    }
    Ok(from)
}
