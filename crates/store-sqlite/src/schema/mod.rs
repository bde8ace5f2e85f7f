//! The tables, and how they get there.

use actum_model::{LaneCount, PartitionCount};
use actum_persistence::store::JournalLayout;
use sqlx::{Row as _, SqliteConnection};

/// Says that a file is a journal: `Actm`.
const APPLICATION_ID: i64 = 0x4163_746D;

/// What raises the schema to version 1, 2, …: each runs on top of the one before, in one transaction with it.
const SCRIPTS: &[&str] = &[
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
    include_str!("v4.sql"),
];

/// The newest version.
pub(crate) const VERSION: i64 = SCRIPTS.len() as i64;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing: it is new.
    Blank,
    /// A journal.
    Journal {
        /// The version of its schema.
        version: i64,
    },
    /// A database of another program.
    Foreign,
}

/// Looks what a file is.
pub(crate) async fn look(connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
    let query = sqlx::query(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
            (SELECT count(*) FROM sqlite_schema)",
    );
    let row = query.fetch_one(connection).await?;
    let (id, version, tables): (i64, i64, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match (id, version, tables) {
        (APPLICATION_ID, 1.., _) => Found::Journal { version },
        (0, 0, 0) => Found::Blank,
        _ => Found::Foreign,
    })
}

/// Makes the schema the newest, in a file that is blank or an older journal, and says what was there before. What is
/// anything else is left as it is.
///
/// Safe when several processes do it at once: each looks again once it has the lock on the file.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    layout: JournalLayout,
) -> Result<Found, sqlx::Error> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let found = look(connection).await?;
    let from = match found {
        Found::Blank => 0,
        Found::Journal { version } if version < VERSION => version,
        Found::Journal { version: VERSION } => {
            // changes nothing, but fails where the file must not be written: BEGIN IMMEDIATE lets that pass
            sqlx::query("UPDATE journal SET settled = 0 WHERE FALSE")
                .execute(&mut *connection)
                .await?;
            sqlx::query("ROLLBACK").execute(connection).await?;
            return Ok(found);
        }
        Found::Journal { .. } | Found::Foreign => {
            sqlx::query("ROLLBACK").execute(connection).await?;
            return Ok(found);
        }
    };
    for (script, version) in SCRIPTS.iter().zip(1..).skip_while(|(_, version)| *version <= from) {
        sqlx::raw_sql(*script).execute(&mut *connection).await?;
        tracing::info!(version, "raised the schema of the journal");
    }
    if found == Found::Blank {
        divide(connection, layout).await?;
    }
    // pragmas take no arguments, hence the text
    let marks =
        format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(marks)).execute(&mut *connection).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(found)
}

async fn divide(
    connection: &mut SqliteConnection,
    layout: JournalLayout,
) -> Result<(), sqlx::Error> {
    let journal = "INSERT INTO journal (one, partitions, lanes, settled) VALUES (1, ?, ?, 0)";
    let journal = sqlx::query(journal).bind(layout.partitions.get()).bind(layout.lanes.get());
    journal.execute(&mut *connection).await?;
    let lanes = "WITH RECURSIVE numbers (lane) AS (
            SELECT 0 UNION ALL SELECT lane + 1 FROM numbers WHERE lane + 1 < ?
        ) INSERT INTO lanes (lane, kept) SELECT lane, 0 FROM numbers";
    sqlx::query(lanes).bind(layout.lanes.get()).execute(connection).await?;
    Ok(())
}

/// How a journal is divided.
pub(crate) async fn layout(
    connection: &mut SqliteConnection,
) -> Result<JournalLayout, sqlx::Error> {
    let row = sqlx::query("SELECT partitions, lanes FROM journal").fetch_one(connection).await?;
    let partitions = PartitionCount::new(row.try_get(0)?);
    let lanes = LaneCount::new(row.try_get(1)?);
    match (partitions, lanes) {
        (Some(partitions), Some(lanes)) => Ok(JournalLayout { partitions, lanes }),
        _ => Err(sqlx::Error::Decode("a journal has at least one partition and one lane".into())),
    }
}
