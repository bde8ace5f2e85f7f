//! The tables, and how they get there.

use crate::{
    Migrate,
    connection::Connector,
    fault::{Fault, cause, store_error},
    row::{Row, column},
    session::Session,
    texts::Texts,
};
use actum_persistence::store::StoreError;

pub(super) const DOING: &str = "looking for the tables of projections";

/// What raises the schema to version 1, 2, …: each runs on top of the one before.
const SCRIPTS: &[&str] = &[include_str!("v1.sql")];

/// The newest version.
const VERSION: u32 = SCRIPTS.len() as u32;

/// Where the tables are to be.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) address: &'a str,
    pub(super) texts: &'a Texts,
}

/// What a schema is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    /// It is not there, or it is empty.
    Blank {
        /// Whether it is there.
        exists: bool,
    },
    /// It has tables for progress, of this version.
    Of(u32),
    /// The schema of another program, or a journal.
    Foreign,
}

impl Tables {
    fn version(self) -> u32 {
        match self {
            Self::Of(version) => version,
            Self::Blank { .. } | Self::Foreign => 0,
        }
    }
}

/// Whether there is something where the tables would be; none are made.
pub(super) async fn are_there(
    session: &mut Session,
    connector: &Connector,
    texts: &Texts,
) -> Result<bool, StoreError> {
    let look = async |session: &mut Session| look(session, texts, &connector.settings.schema).await;
    let found = connector.read(session, look).await;
    let found = found.map_err(|error| store_error(DOING, error))?;
    Ok(!matches!(found, Tables::Blank { .. }))
}

/// Sees that the tables are there in a version that can be used; makes them if they are missing and `migrate` says so.
pub(super) async fn prepare(
    session: &mut Session,
    connector: &Connector,
    place: Place<'_>,
    migrate: Migrate,
) -> Result<(), StoreError> {
    let schema = &connector.settings.schema;
    let look = async |session: &mut Session| look(session, place.texts, schema).await;
    let found = connector.read(session, look).await;
    let found = found.map_err(|error| place.refused("read", error))?;
    if place.check(found)? == VERSION {
        return Ok(());
    }
    if migrate == Migrate::Never {
        return Err(StoreError::invalid(format!(
            "the tables of projections are missing at {}: call `PostgresTarget::migrate` as a user who may create them",
            place.address
        )));
    }
    let raised = raise(session, connector, place.texts).await;
    place.check(raised.map_err(|error| place.refused("create", error))?).map(drop)
}

impl Place<'_> {
    /// The version that was found, if this program can use it or raise it.
    fn check(self, found: Tables) -> Result<u32, StoreError> {
        let address = self.address;
        match found {
            Tables::Foreign => Err(StoreError::invalid(format!(
                "the schema belongs to another program or a journal, no progress of projections can be kept there: {address}"
            ))),
            Tables::Of(version) if version > VERSION => Err(StoreError::invalid(format!(
                "the tables of projections at {address} have version {version}, this program knows up to {VERSION}: use a \
                 newer one"
            ))),
            found => Ok(found.version()),
        }
    }

    fn refused(self, what: &str, error: sqlx::Error) -> StoreError {
        match Fault::of(&error) {
            Fault::Rights => StoreError::invalid(format!(
                "the user may not {what} the tables of projections at {}, call `PostgresTarget::migrate` as one who may, and \
                 grant this one USAGE on the schema and SELECT, INSERT, UPDATE and DELETE on its tables: {}",
                self.address,
                cause(error)
            )),
            // another program has made something of the same name at the same moment
            Fault::Taken => StoreError::unavailable(DOING, cause(error)),
            _ => store_error(DOING, error),
        }
    }
}

/// Looks what a schema is.
async fn look(session: &mut Session, texts: &Texts, schema: &str) -> Result<Tables, sqlx::Error> {
    // from the catalogs: they answer also a user who may not use the schema
    let query = "SELECT count(DISTINCT n.oid) > 0, count(c.oid) FILTER (WHERE c.relname = 'progress_migrations') > 0,
            count(c.oid) > 0
        FROM pg_catalog.pg_namespace AS n LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
        WHERE n.nspname = $1";
    let row = one(session.rows(sqlx::query(query).bind(schema)).await?)?;
    match (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?) {
        (_, true, _) => {
            let query = texts.of("SELECT coalesce(max(version), 0) FROM @progress_migrations");
            let version = column::<i32>(&one(session.rows(sqlx::query(query)).await?)?, 0)?;
            let version = u32::try_from(version);
            version.map(Tables::Of).map_err(|error| sqlx::Error::Decode(error.into()))
        }
        (exists, false, false) => Ok(Tables::Blank { exists }),
        (_, false, true) => Ok(Tables::Foreign),
    }
}

fn one(rows: Vec<Row>) -> Result<Row, sqlx::Error> {
    rows.into_iter().next().ok_or(sqlx::Error::RowNotFound)
}

/// Raises the schema to the newest version and returns what there is then. All in one transaction; safe when several
/// processes do it at once: each looks again once it has the lock.
async fn raise(
    session: &mut Session,
    connector: &Connector,
    texts: &Texts,
) -> Result<Tables, sqlx::Error> {
    session.begin(connector.begin()).await?;
    let raised = raise_in(session, connector, texts).await;
    match &raised {
        Ok(_) => session.commit().await?,
        Err(_) if session.is_usable() => session.rollback().await,
        Err(_) => {}
    }
    raised
}

async fn raise_in(
    session: &mut Session,
    connector: &Connector,
    texts: &Texts,
) -> Result<Tables, sqlx::Error> {
    let schema = &connector.settings.schema;
    let lock = "SELECT pg_advisory_xact_lock(hashtext('actum progress migrations'), hashtext($1))";
    session.rows(sqlx::query(lock).bind(schema)).await?;
    let found = look(session, texts, schema).await?;
    if found == Tables::Foreign {
        return Ok(found);
    }
    if found == (Tables::Blank { exists: false }) {
        // the name was checked: it needs no more quoting than this
        let create = format!("CREATE SCHEMA \"{schema}\"");
        session.batch(sqlx::AssertSqlSafe(create.into())).await?;
    }
    if matches!(found, Tables::Blank { .. }) {
        let table = "CREATE TABLE @progress_migrations (
            version    integer     PRIMARY KEY,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )";
        session.batch(texts.of(table)).await?;
    }
    for (script, version) in SCRIPTS.iter().zip(1..).skip(found.version() as usize) {
        session.batch(texts.of(script)).await?;
        let note = texts.of("INSERT INTO @progress_migrations (version) VALUES ($1)");
        session.rows(sqlx::query(note).bind(version)).await?;
        tracing::info!(schema, version, "raised the schema of projections");
    }
    Ok(Tables::Of(VERSION.max(found.version())))
}
