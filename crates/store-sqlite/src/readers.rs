use crate::{
    connection::{Connector, Role},
    fault::{CLOSED, store_error},
    journal_files::JournalFiles,
    lost::Lost,
    session::Session,
};
use actum_persistence::panics::log_safely;
use actum_persistence::store::StoreError;
use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The connections that read: opened when needed, at most `reader_connections`, used again.
#[derive(Debug)]
pub(crate) struct Readers {
    connector: Connector,
    files: Arc<JournalFiles>,
    permits: Semaphore,
    idle: Mutex<Vec<Session>>,
}

/// A connection to read with; it goes back when dropped, or is closed if it was left in the middle of something.
pub(crate) struct Reader<'a> {
    session: Option<Session>,
    readers: &'a Readers,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    pub(crate) fn new(connector: Connector, files: Arc<JournalFiles>) -> Self {
        let permits = Semaphore::new(connector.settings.reader_connections as usize);
        Self { connector, files, permits, idle: Mutex::default() }
    }

    /// Waits for a connection.
    pub(crate) async fn reader(&self, doing: &str) -> Result<Reader<'_>, StoreError> {
        let closed = |_| StoreError::unavailable(doing, CLOSED);
        let permit = self.permits.acquire().await.map_err(closed)?;
        let idle = self.idle().pop();
        let session = match idle {
            Some(session) => session,
            None => {
                let session = self.connector.session(Role::Reader).await;
                session.map_err(|error| self.files.refusal_or(|| store_error(doing, error)))?
            }
        };
        // behind opening one: it may have found another file at the path
        self.files.check().map_err(Lost::refusal)?;
        Ok(Reader { session: Some(session), readers: self, _permit: permit })
    }

    /// Waits for the reads under way, closes the connections, and gives out no more.
    pub(crate) async fn close(&self) {
        let all = self.connector.settings.reader_connections;
        if self.permits.acquire_many(all).await.is_err() {
            return; // closed before
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for session in idle {
            if let Err(error) = session.close().await {
                log_safely(
                    || tracing::warn!(%error, "a connection that read did not close cleanly"),
                );
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        // nothing panics while the list is held
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Reader<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a reader has its session until it is dropped")
    }
}

impl DerefMut for Reader<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a reader has its session until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(Session::is_idle) {
            self.readers.idle().push(session);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::SqliteStore;
    use std::fs;

    #[tokio::test]
    async fn a_connection_that_is_opened_again_is_never_to_another_file() {
        for replaced in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let [path, other] = ["journal.db", "other.db"].map(|name| directory.path().join(name));
            SqliteStore::open(&other).await.unwrap().close().await;
            let store = SqliteStore::open(&path).await.unwrap();
            let mut reader = store.readers().reader("left half way").await.unwrap();
            reader.begin(sqlx::query("BEGIN")).await.unwrap();
            drop(reader); // and its connection with it
            assert!(store.readers().idle().is_empty());
            fs::remove_file(&path).unwrap();
            if replaced {
                fs::rename(&other, &path).unwrap();
            }
            let read = store.readers().reader("reading").await.map(drop);
            assert!(matches!(read, Err(StoreError::Lost { .. })), "{replaced}: {read:?}");
        }
    }
}
