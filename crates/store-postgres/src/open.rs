//! From a URL or a pool to a schema that is a journal, in the newest version.

use crate::{
    Migrate, Migration, OpenError, PostgresSettings,
    connection::{Connector, Source},
    fault::{self, Fault},
    row::column,
    schema::{
        self, Found,
        shortcuts::{self, Shortcuts},
    },
    session::Session,
    texts::Texts,
    url,
};
use actum_persistence::store::JournalLayout;
use sqlx::postgres::PgConnectOptions;

/// The oldest PostgreSQL that is supported, as the server counts.
const OLDEST_SERVER: i32 = 130_000;

/// A journal that was opened.
pub(crate) struct Opened {
    /// Where it is, without the password.
    pub(crate) address: String,
    pub(crate) connector: Connector,
    pub(crate) texts: Texts,
    pub(crate) layout: JournalLayout,
    pub(crate) lock_space: i32,
    /// Whether the functions that save time can be called.
    pub(crate) shortcuts: bool,
}

/// Lists the migrations of the journal that the settings name in the database at `url`, and whether it has them.
/// Nothing is changed.
///
/// # Errors
/// [`OpenError`] when the settings are not valid, or the database cannot be reached or used as a journal.
pub async fn migrations(
    url: &str,
    settings: &PostgresSettings,
) -> Result<Vec<Migration>, OpenError> {
    let (mut opening, found) = Opening::begin(source(url)?, settings.clone()).await?;
    opening.close().await;
    Ok(found.migrations())
}

/// Runs the migrations that the journal lacks, whatever [`PostgresSettings::migrate`] says, and lists what it has run.
///
/// A program of its own can do so with a user of more rights, before the service is started with
/// [`Migrate::Never`](crate::Migrate::Never).
///
/// # Errors
/// As [`migrations`].
pub async fn migrate(url: &str, settings: &PostgresSettings) -> Result<Vec<Migration>, OpenError> {
    let (mut opening, mut found) = Opening::begin(source(url)?, settings.clone()).await?;
    if !found.pending().is_empty() || opening.shortcuts().await? == Shortcuts::Missing {
        found = opening.migrate().await?;
    }
    opening.close().await;
    Ok(found.pending())
}

/// Opens or creates the journal.
pub(crate) async fn open(source: Source, settings: PostgresSettings) -> Result<Opened, OpenError> {
    let (mut opening, found) = Opening::begin(source, settings).await?;
    let pending = found.pending();
    if !pending.is_empty() {
        match opening.connector.settings.migrate {
            Migrate::Pending => _ = opening.migrate().await?,
            Migrate::Never => {
                opening.close().await;
                return Err(OpenError::PendingMigrations { address: opening.address, pending });
            }
        }
    }
    let (layout, lock_space) = opening.journal().await?;
    let shortcuts = opening.add_shortcuts().await?;
    opening.close().await;
    let Opening { address, connector, texts, .. } = opening;
    if let Some(problem) = connector.pool_problem(layout.lanes) {
        return Err(OpenError::InvalidSettings { address, problems: vec![problem] });
    }
    match connector.settings.layout.filter(|asked| *asked != layout) {
        Some(asked) => Err(OpenError::LayoutMismatch { address, found: layout, asked }),
        None => Ok(Opened { address, connector, texts, layout, lock_space, shortcuts }),
    }
}

/// What a URL of a database says.
pub(crate) fn source(url: &str) -> Result<Source, OpenError> {
    let options = url::options(url).map_err(|why| OpenError::InvalidUrl { why })?;
    Ok(Source::Options(Box::new(options)))
}

/// Why there is a session.
const OPEN: &str = "a session is there until it is closed";

/// A journal that is about to be opened.
struct Opening {
    address: String,
    connector: Connector,
    texts: Texts,
    session: Option<Session>,
}

impl Opening {
    /// Connects, and looks whether the schema can be used.
    async fn begin(source: Source, settings: PostgresSettings) -> Result<(Self, Found), OpenError> {
        let problems = settings.problems();
        let address = address(&source, &settings.schema);
        if !problems.is_empty() {
            return Err(OpenError::InvalidSettings { address, problems });
        }
        let texts = Texts::new(&settings.schema);
        let connector = Connector::new(source, settings);
        let session = connector.connect().await;
        let session = session.map_err(|error| OpenError::of(&address, error))?;
        let mut opening = Self { address, connector, texts, session: Some(session) };
        opening.check_server().await?;
        let found = opening.look().await?;
        Ok((opening, found))
    }

    fn failed(&self, error: sqlx::Error) -> OpenError {
        OpenError::of(&self.address, error)
    }

    async fn close(&mut self) {
        if let Some(session) = self.session.take().filter(|session| !session.is_pooled())
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "the connection that opened the journal did not close cleanly");
        }
    }

    async fn check_server(&mut self) -> Result<(), OpenError> {
        let query = "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'),
            current_setting('fsync') = 'on'";
        let session = self.session.as_mut().expect(OPEN);
        let read = async |session: &mut Session| session.rows(sqlx::query(query)).await;
        let rows = self.connector.read(session, read).await;
        let facts = rows.and_then(|rows| {
            let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
            Ok::<(i32, String, bool), _>((column(row, 0)?, column(row, 1)?, column(row, 2)?))
        });
        let (version, encoding, durable) = facts.map_err(|error| self.failed(error))?;
        let unfit = if version < OLDEST_SERVER {
            format!("it is PostgreSQL {}, which is older than 13", version / 10_000)
        } else if encoding != "UTF8" {
            format!("its encoding is {encoding}, not UTF8")
        } else {
            if !durable {
                let address = &self.address;
                tracing::warn!(address, "the server runs without fsync: a power cut loses events");
            }
            return Ok(());
        };
        Err(OpenError::UnfitServer { address: self.address.clone(), unfit })
    }

    async fn look(&mut self) -> Result<Found, OpenError> {
        let session = self.session.as_mut().expect(OPEN);
        let (texts, schema) = (&self.texts, &self.connector.settings.schema);
        let look = async |session: &mut Session| schema::look(session, texts, schema).await;
        let found = self.connector.read(session, look).await;
        let found = found.map_err(|error| self.failed(error))?;
        self.readable(found)
    }

    async fn journal(&mut self) -> Result<(JournalLayout, i32), OpenError> {
        let session = self.session.as_mut().expect(OPEN);
        let texts = &self.texts;
        let read = async |session: &mut Session| schema::journal(session, texts).await;
        let journal = self.connector.read(session, read).await;
        journal.map_err(|error| self.failed(error))
    }

    async fn migrate(&mut self) -> Result<Found, OpenError> {
        let session = self.session.as_mut().expect(OPEN);
        let found = schema::migrate(session, &self.connector, &self.texts).await;
        let found = found.map_err(|error| self.failed(error))?;
        self.readable(found)
    }

    /// What the journal has of the functions that save time.
    async fn shortcuts(&mut self) -> Result<Shortcuts, OpenError> {
        let session = self.session.as_mut().expect(OPEN);
        let schema = &self.connector.settings.schema;
        let look = async |session: &mut Session| shortcuts::look(session, schema).await;
        let found = self.connector.read(session, look).await;
        found.map_err(|error| self.failed(error))
    }

    /// Whether the functions that save time can be called; they are made if they are missing and the user may do that.
    async fn add_shortcuts(&mut self) -> Result<bool, OpenError> {
        let mut found = self.shortcuts().await?;
        if found == Shortcuts::Missing && self.connector.settings.migrate == Migrate::Pending {
            match self.migrate().await {
                Ok(_) => found = self.shortcuts().await?,
                Err(OpenError::MissingRights { .. } | OpenError::ReadOnly { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let usable = found == Shortcuts::Usable;
        if !usable {
            let address = &self.address;
            tracing::debug!(address, ?found, "small appends take longer, functions are missing");
        }
        Ok(usable)
    }

    fn readable(&self, found: Found) -> Result<Found, OpenError> {
        let address = self.address.clone();
        match found {
            Found::Journal { version } if version > schema::VERSION => {
                Err(OpenError::NewerSchema { address, found: version, known: schema::VERSION })
            }
            Found::Foreign => Err(OpenError::NotAJournal { address }),
            Found::Blank { .. } | Found::Journal { .. } => Ok(found),
        }
    }
}

/// Where a journal is, without the password.
pub(crate) fn address(source: &Source, schema: &str) -> String {
    let of = |options: &PgConnectOptions| {
        let (user, port) = (options.get_username(), options.get_port());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => options.get_host().to_owned(),
        };
        let database = options.get_database().unwrap_or(user);
        format!("postgres://{user}@{host}:{port}/{database}, schema {schema}")
    };
    match source {
        Source::Options(options) => of(options),
        Source::Pool(pool) => of(&pool.connect_options()),
    }
}

impl OpenError {
    /// Says what an error means for the one that wants to open the journal.
    fn of(address: &str, error: sqlx::Error) -> Self {
        let address = address.to_owned();
        let fault = Fault::of(&error);
        let source = fault::cause(error);
        match fault {
            Fault::Lost | Fault::Away => Self::Unreachable { address, source },
            Fault::Login => Self::Login { address, source },
            Fault::NoDatabase => Self::NoDatabase { address, source },
            Fault::Tls => Self::Tls { address, source },
            Fault::Rights => Self::MissingRights { address, source },
            Fault::ReadOnly => Self::ReadOnly { address, source },
            Fault::Missing | Fault::Corrupt => Self::Corrupt { address, what: source.to_string() },
            // another process has made the schema, or something in it, at the same moment
            Fault::Taken
            | Fault::Refused
            | Fault::Aborted
            | Fault::Stale
            | Fault::Crossed
            | Fault::Slow
            | Fault::Full
            | Fault::Unfit
            | Fault::Other => Self::Database { address, source },
        }
    }
}
