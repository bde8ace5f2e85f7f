//! The tables, and how they get there.

pub(crate) mod shortcuts;

use crate::{
    connection::Connector, row::column, session::Session, settings::LANES_MAX, texts::Texts,
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::store::JournalLayout;
use shortcuts::Shortcuts;
use std::time::Duration;

/// What raises the schema to version 1, 2, …: each runs on top of the one before.
const SCRIPTS: &[Script] = &[
    Script {
        name: "journal",
        text: concat!(
            include_str!("v1/tables.sql"),
            include_str!("v1/fence.sql"),
            include_str!("v1/entities.sql"),
            include_str!("v1/append.sql"),
            include_str!("v1/states.sql"),
            include_str!("v1/retention.sql"),
            include_str!("v1/snapshots.sql"),
        ),
    },
    Script { name: "commands", text: include_str!("v2/commands.sql") },
    Script { name: "changes", text: include_str!("v3/changes.sql") },
    Script { name: "members", text: include_str!("v4/members.sql") },
];

/// The newest version.
pub(crate) const VERSION: u32 = SCRIPTS.len() as u32;

/// How long a program waits for its migrations, or for those of another.
const PATIENCE_MAX: Duration = Duration::from_hours(1);

/// How much longer than a statement a migration may wait for a lock.
const LOCK_PATIENCE: u32 = 10;

struct Script {
    name: &'static str,
    text: &'static str,
}

/// One step of the schema of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The version of the schema behind it; steps count from 1.
    pub version: u32,
    /// What it is called.
    pub name: &'static str,
    /// Whether the journal has it.
    pub applied: bool,
}

/// What a schema says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is not there, or it is empty.
    Blank {
        /// Whether it is there.
        exists: bool,
    },
    /// A journal.
    Journal {
        /// The version of the schema.
        version: u32,
    },
    /// The schema of another program.
    Foreign,
}

impl Found {
    /// The steps of the schema, and which of them were taken.
    pub(crate) fn migrations(self) -> Vec<Migration> {
        let has = match self {
            Self::Journal { version } => version,
            Self::Blank { .. } | Self::Foreign => 0,
        };
        let steps = SCRIPTS.iter().zip(1..);
        let step = |(script, version): (&Script, u32)| Migration {
            version,
            name: script.name,
            applied: version <= has,
        };
        steps.map(step).collect()
    }

    /// Those that were not taken.
    pub(crate) fn pending(self) -> Vec<Migration> {
        self.migrations().into_iter().filter(|step| !step.applied).collect()
    }
}

/// Looks what a schema is.
pub(crate) async fn look(
    session: &mut Session,
    texts: &Texts,
    schema: &str,
) -> Result<Found, sqlx::Error> {
    // from the catalogs: they answer also a user who may not use the schema
    let query = "SELECT count(DISTINCT n.oid) > 0, count(c.oid) FILTER (WHERE c.relname = 'actum_migrations') > 0,
            count(c.oid) > 0
        FROM pg_catalog.pg_namespace AS n LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
        WHERE n.nspname = $1";
    let rows = session.rows(sqlx::query(query).bind(schema)).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    match (column(row, 0)?, column(row, 1)?, column(row, 2)?) {
        (_, true, _) => {
            let query = texts.of("SELECT coalesce(max(version), 0) FROM @actum_migrations");
            let rows = session.rows(sqlx::query(query)).await?;
            let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
            let version = u32::try_from(column::<i32>(row, 0)?);
            let version = version.map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(Found::Journal { version })
        }
        (exists, false, false) => Ok(Found::Blank { exists }),
        (_, false, true) => Ok(Found::Foreign),
    }
}

/// Makes the schema the newest where it is blank or an older journal, with the shortcuts beside it, and says what was
/// there before. What is anything else is left as it is.
///
/// All in one transaction. Safe when several processes do it at once: each looks again once it has the lock.
pub(crate) async fn migrate(
    session: &mut Session,
    connector: &Connector,
    texts: &Texts,
) -> Result<Found, sqlx::Error> {
    // what others do beside it is short, and what a migration does may be long
    session.set_patience(PATIENCE_MAX);
    session.begin(connector.begin()).await?;
    let lock_timeout = (LOCK_PATIENCE * connector.settings.lock_timeout).as_millis();
    let settings =
        format!("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {lock_timeout}");
    session.batch(sqlx::AssertSqlSafe(settings.into())).await?;
    let migrated = migrate_in(session, connector, texts).await;
    match &migrated {
        Ok(_) => session.commit().await?,
        Err(_) if session.is_usable() => session.rollback().await,
        Err(_) => {}
    }
    migrated
}

async fn migrate_in(
    session: &mut Session,
    connector: &Connector,
    texts: &Texts,
) -> Result<Found, sqlx::Error> {
    let schema = &connector.settings.schema;
    let lock = "SELECT pg_advisory_xact_lock(hashtext('actum migrations'), hashtext($1))";
    session.rows(sqlx::query(lock).bind(schema)).await?;
    let found = look(session, texts, schema).await?;
    if found == Found::Foreign {
        return Ok(found);
    }
    if found == (Found::Blank { exists: false }) {
        // the name was checked: it needs no more quoting than this
        let create = format!("CREATE SCHEMA \"{schema}\"");
        session.batch(sqlx::AssertSqlSafe(create.into())).await?;
    }
    if matches!(found, Found::Blank { .. }) {
        let table = "CREATE TABLE @actum_migrations (
            version    integer     PRIMARY KEY,
            name       text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )";
        session.batch(texts.of(table)).await?;
    }
    for step in found.pending() {
        let script = &SCRIPTS[step.version as usize - 1];
        session.batch(texts.of(script.text)).await?;
        let note = "INSERT INTO @actum_migrations (version, name) VALUES ($1, $2)";
        let note = sqlx::query(texts.of(note)).bind(step.version.cast_signed()).bind(step.name);
        session.rows(note).await?;
        let (version, name) = (step.version, step.name);
        tracing::info!(schema, version, name, "raised the schema of the journal");
    }
    if shortcuts::look(session, schema).await? == Shortcuts::Missing {
        session.batch(texts.of(shortcuts::SCRIPT)).await?;
    }
    if matches!(found, Found::Blank { .. }) {
        divide(session, texts, connector.settings.layout.unwrap_or_default()).await?;
    }
    Ok(found)
}

async fn divide(
    session: &mut Session,
    texts: &Texts,
    layout: JournalLayout,
) -> Result<(), sqlx::Error> {
    let journal = "INSERT INTO @journal (partitions, lanes, lock_space)
        VALUES ($1, $2, floor(random() * 2147483647)::integer)";
    let journal = sqlx::query(texts.of(journal));
    let journal =
        journal.bind(i32::from(layout.partitions.get())).bind(i32::from(layout.lanes.get()));
    session.rows(journal).await?;
    let lanes =
        "INSERT INTO @lanes (lane, kept) SELECT lane, 0 FROM generate_series(0, $1 - 1) AS lane";
    let lanes = sqlx::query(texts.of(lanes)).bind(i32::from(layout.lanes.get()));
    session.rows(lanes).await.map(drop)
}

/// What the journal says of itself: how it is divided, and the first key of its locks.
pub(crate) async fn journal(
    session: &mut Session,
    texts: &Texts,
) -> Result<(JournalLayout, i32), sqlx::Error> {
    let query = sqlx::query(texts.of("SELECT partitions, lanes, lock_space FROM @journal"));
    let rows = session.rows(query).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let partitions = u16::try_from(column::<i32>(row, 0)?).ok().and_then(PartitionCount::new);
    let lanes = u16::try_from(column::<i32>(row, 1)?).ok().filter(|lanes| *lanes <= LANES_MAX);
    match (partitions, lanes.and_then(LaneCount::new)) {
        (Some(partitions), Some(lanes)) => {
            Ok((JournalLayout { partitions, lanes }, column(row, 2)?))
        }
        _ => {
            let what = format!("a journal has at least one partition, and 1 to {LANES_MAX} lanes");
            Err(sqlx::Error::Decode(what.into()))
        }
    }
}
