//! From a path to a file that is a journal, in the newest schema.

use crate::{
    OpenError, SqliteSettings,
    connection::{Connector, Role},
    fault::{self, Fault},
    file_id,
    journal_files::JournalFiles,
    named_file::beside,
    obstacle::Obstacle,
    schema::{self, Found},
    session::Session,
    shared_lock::SharedLock,
};
use actum_persistence::panics::log_safely;
use actum_persistence::store::JournalLayout;
use sqlx::{Connection, SqliteConnection};
use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// How long to wait before asking again for the write-ahead log while another process turns it on.
const WAL_RETRY: Duration = Duration::from_millis(5);

/// A journal that was opened, with its first connections.
pub(crate) struct Opened {
    pub(crate) connector: Connector,
    /// The one that writes.
    pub(crate) first: Session,
    /// The one that checkpoints.
    pub(crate) second: Session,
    pub(crate) layout: JournalLayout,
    pub(crate) files: JournalFiles,
}

/// Opens or creates the journal at `path`.
pub(crate) async fn open(path: &Path, settings: SqliteSettings) -> Result<Opened, OpenError> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(OpenError::InvalidSettings { path: path.into(), problems });
    }
    let mut connector = Connector { path: locate(path)?.into(), settings };
    let (connection, layout) = match prepare(&connector).await {
        Err(Unready::Sqlite(error)) if wants_room(&error) && give_room_back(&connector).await => {
            prepare(&connector).await
        }
        ready => ready,
    }
    .map_err(|error| error.at(&connector.path))?;
    if let Some(asked) = connector.settings.layout.filter(|asked| *asked != layout) {
        let path = connector.path.to_path_buf();
        // the mismatch is what to report, not that a file no one will use did not close
        drop(connection.close().await);
        return Err(OpenError::LayoutMismatch { path, found: layout, asked });
    }
    // the same name for a process that comes by another one: the files beside the journal must be the same too
    let canonical = connector.path.canonicalize();
    connector.path = canonical.map_err(|error| OpenError::disk(&*connector.path, error))?.into();
    let second = connect_second(&connector).await;
    let second = second.map_err(|error| Unready::Sqlite(error).at(&connector.path))?;
    let files = watch(&connector).await?;
    let [first, second] =
        [connection, second].map(|one| Session::new(one, Arc::clone(&connector.path)));
    Ok(Opened { connector, first, second, layout, files })
}

/// Opens the connection that stays open for as long as the store, whatever happens to the others: from its first read
/// on it holds SQLite's shared lock.
async fn connect_second(connector: &Connector) -> Result<SqliteConnection, sqlx::Error> {
    let mut second = connector.connect(Role::Checkpointer).await?;
    schema::layout(&mut second).await?;
    Ok(second)
}

/// Locks the files of a journal that is open, and takes note of them.
pub(crate) async fn watch(connector: &Connector) -> Result<JournalFiles, OpenError> {
    let path = &connector.path;
    let patience = Instant::now() + connector.settings.busy_timeout;
    let lock = loop {
        match SharedLock::take(path) {
            Ok(lock) => break Some(lock),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if Instant::now() >= patience {
                    return Err(OpenError::Locked {
                        path: path.to_path_buf(),
                        source: error.into(),
                    });
                }
                tokio::time::sleep(WAL_RETRY).await;
            }
            Err(error) => {
                tracing::debug!(%error, "the journal has only the locks of SQLite, which a copy made by this process drops");
                break None;
            }
        }
    };
    let files = JournalFiles::of(path, lock).map_err(|error| OpenError::disk(&**path, error))?;
    files.check().map_err(|lost| OpenError::disk(&**path, io::Error::other(lost.to_string())))?;
    Ok(files)
}

/// Whether a file could not be opened because the volume is full: SQLite needs a little room for the index of the log.
fn wants_room(error: &sqlx::Error) -> bool {
    const IOERR_SHMSIZE: &str = "4874";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    Fault::of(error) == Fault::Full || code.as_deref() == Some(IOERR_SHMSIZE)
}

/// Copies the log of a journal that no one has open into its file, which needs no index when it is done alone, and
/// gives its room back. Says whether that was done.
async fn give_room_back(connector: &Connector) -> bool {
    let log = beside(&connector.path, "-wal");
    if !log.metadata().is_ok_and(|log| log.len() > 0) {
        return false;
    }
    let done = async {
        let mut alone = connector.connect(Role::Alone).await?;
        let copied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut alone).await;
        alone.close().await?;
        copied.map(drop)
    };
    let done: Result<(), sqlx::Error> = done.await;
    if let Err(error) = &done {
        let error = error.to_string();
        log_safely(|| {
            tracing::warn!(
                error,
                "the volume is full, and the log of the journal could not be copied"
            );
        });
    }
    done.is_ok()
}

/// Finds what is plainly in the way, in better words than SQLite's. A few calls of the operating system, once.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, OpenError> {
    let invalid = |why| OpenError::InvalidPath { path: path.into(), why };
    let text = path.to_str().ok_or_else(|| invalid("it is not UTF-8"))?;
    let name = path.file_name().ok_or_else(|| invalid("it names no file"))?;
    match text {
        ":memory:" => {
            return Err(invalid("a journal in memory is a store of its own, `MemoryStore`"));
        }
        _ if text.starts_with("sqlite:") || text.contains("://") => {
            return Err(invalid(
                "it is a URL, and a path is needed, such as `bank.db` or `/var/lib/bank/bank.db`",
            ));
        }
        _ if text.contains('\0') => return Err(invalid("it contains NUL")),
        _ => {}
    }
    match path.metadata() {
        Ok(found) if !found.is_file() => return Err(OpenError::NotAFile { path: path.into() }),
        Ok(found) if file_id::names(&found) > 1 => {
            return Err(OpenError::Linked { path: path.into(), names: file_id::names(&found) });
        }
        Ok(_) => return path.canonicalize().map_err(|error| OpenError::disk(path, error)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(OpenError::disk(path, error)),
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    match directory.canonicalize() {
        Ok(directory) => Ok(directory.join(name)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(OpenError::MissingDirectory { path: path.into(), directory: directory.into() })
        }
        Err(error) => Err(OpenError::disk(path, error)),
    }
}

/// Why a file could not be made ready.
enum Unready {
    Sqlite(sqlx::Error),
    Foreign,
    Newer { found: i64 },
}

/// Connects and makes the file a journal of the newest schema, unless it is something else.
async fn prepare(connector: &Connector) -> Result<(SqliteConnection, JournalLayout), Unready> {
    let mut connection = connector.connect(Role::Creator).await?;
    readable(schema::look(&mut connection).await?)?;
    write_ahead(&mut connection, connector.settings.busy_timeout).await?;
    let layout = connector.settings.layout.unwrap_or_default();
    // also when the schema is the newest: it takes the lock for a moment, and so finds out whether that can be had
    readable(schema::migrate(&mut connection, layout).await?)?;
    let layout = schema::layout(&mut connection).await?;
    Ok((connection, layout))
}

fn readable(found: Found) -> Result<(), Unready> {
    match found {
        Found::Journal { version } if version > schema::VERSION => {
            Err(Unready::Newer { found: version })
        }
        Found::Blank | Found::Journal { .. } => Ok(()),
        Found::Foreign => Err(Unready::Foreign),
    }
}

/// Turns on the write-ahead log, which then stays on for the file.
///
/// SQLite does not wait for the lock this takes, so that two processes which open a new file at once get in each
/// other's way: the one that fails asks again.
pub(crate) async fn write_ahead(
    connection: &mut SqliteConnection,
    busy_timeout: Duration,
) -> Result<(), sqlx::Error> {
    let patience = Instant::now() + busy_timeout;
    loop {
        let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL");
        match mode.fetch_one(&mut *connection).await {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let why = format!("the file system allows no write-ahead log, only `{mode}`");
                return Err(sqlx::Error::Io(std::io::Error::other(why)));
            }
            Err(error) if Fault::of(&error) == Fault::Busy && Instant::now() < patience => {
                tokio::time::sleep(WAL_RETRY).await;
            }
            Err(error) => return Err(error),
        }
    }
}

impl Unready {
    /// Says it with the name of the file.
    fn at(self, path: &Path) -> OpenError {
        let path = path.to_path_buf();
        let error = match self {
            Self::Sqlite(error) => error,
            Self::Foreign => return OpenError::NotAJournal { path },
            Self::Newer { found } => {
                return OpenError::NewerSchema { path, found, known: schema::VERSION };
            }
        };
        match Fault::of(&error) {
            Fault::NotADatabase => OpenError::NotADatabase { path },
            Fault::Busy => OpenError::Locked { path, source: fault::cause(error) },
            Fault::Corrupt | Fault::Taken | Fault::TooBig => {
                OpenError::Corrupt { path, what: fault::cause(error).to_string() }
            }
            Fault::ReadOnly | Fault::CannotOpen => match Obstacle::find(&path) {
                Some(Obstacle::Forbidden(read_only)) => OpenError::ReadOnly { path, read_only },
                Some(Obstacle::NotAFile(path)) => OpenError::NotAFile { path },
                Some(Obstacle::System(source)) => OpenError::disk(path, source),
                None => OpenError::Disk { path, source: fault::cause(error) },
            },
            Fault::Full | Fault::Other => OpenError::Disk { path, source: fault::cause(error) },
        }
    }
}

impl From<sqlx::Error> for Unready {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}
