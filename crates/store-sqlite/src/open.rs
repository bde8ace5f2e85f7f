//! From a path to a file that is a journal, in the newest schema.

use crate::{
    OpenError, SqliteSettings,
    connection::{Connector, Role},
    fault::{self, Fault},
    schema::{self, Found},
    session::Session,
};
use actum_persistence::store::JournalLayout;
use sqlx::{Connection, SqliteConnection};
use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

/// How long to wait before asking again for the write-ahead log while somebody else turns it on.
const WAL_RETRY: Duration = Duration::from_millis(5);

/// A journal that was opened, with its first connection.
pub(crate) struct Opened {
    pub(crate) connector: Connector,
    pub(crate) session: Session,
    pub(crate) layout: JournalLayout,
}

/// Opens or creates the journal at `path`.
pub(crate) async fn open(path: &Path, settings: SqliteSettings) -> Result<Opened, OpenError> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(OpenError::InvalidSettings { path: path.into(), problems });
    }
    let path = locate(path)?;
    let mut connector = Connector { path, settings };
    let ready = prepare(&connector).await;
    let (connection, layout) = ready.map_err(|error| error.at(&connector.path))?;
    if let Some(asked) = connector.settings.layout.filter(|asked| *asked != layout) {
        let path = connector.path;
        // the mismatch is what to tell, not that a file nobody will use did not close
        drop(connection.close().await);
        return Err(OpenError::LayoutMismatch { path, found: layout, asked });
    }
    // the same name for whoever comes by another one: the files beside the journal must be the same too
    let canonical = connector.path.canonicalize();
    connector.path = canonical.map_err(|error| OpenError::disk(&connector.path, error))?;
    Ok(Opened { connector, session: Session::new(connection), layout })
}

/// Finds what is plainly in the way, in better words than SQLite's. A few calls of the operating system, once.
fn locate(path: &Path) -> Result<PathBuf, OpenError> {
    let invalid = |why| OpenError::InvalidPath { path: path.into(), why };
    let text = path.to_str().ok_or_else(|| invalid("it is not UTF-8"))?;
    let name = path.file_name().ok_or_else(|| invalid("it names no file"))?;
    match text {
        ":memory:" => {
            return Err(invalid("a journal in memory is a store of its own, `MemoryStore`"));
        }
        _ if text.contains('\0') => return Err(invalid("it contains NUL")),
        _ => {}
    }
    match path.metadata() {
        Ok(found) if !found.is_file() => return Err(OpenError::NotAFile { path: path.into() }),
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
    Stranger,
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
        Found::Stranger => Err(Unready::Stranger),
    }
}

/// Turns on the write-ahead log, which then stays on for the file.
///
/// SQLite does not wait for the lock this takes, so that two processes which open a new file at once get in each
/// other's way: the one that fails asks again.
async fn write_ahead(
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
            Self::Stranger => return OpenError::NotAJournal { path },
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
            Fault::ReadOnly | Fault::CannotOpen => match not_writable(&path) {
                Some(read_only) => OpenError::ReadOnly { path, read_only },
                None => OpenError::Disk { path, source: fault::cause(error) },
            },
            Fault::Full | Fault::Other => OpenError::Disk { path, source: fault::cause(error) },
        }
    }
}

/// What SQLite was not allowed to change: the directory, or else the file if there is one.
///
/// The journal itself must not be opened to find out: closing it again would end the locks that SQLite holds on it for
/// other connections of this process, as POSIX has it.
fn not_writable(path: &Path) -> Option<PathBuf> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let probe = directory.join(format!(".actum-probe-{}", std::process::id()));
    match File::create_new(&probe) {
        Ok(_) => {
            // deleting what was just created there can only fail when the disk does
            drop(std::fs::remove_file(&probe));
            path.exists().then(|| path.to_path_buf())
        }
        Err(_) => Some(directory.to_path_buf()),
    }
}

impl From<sqlx::Error> for Unready {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}
