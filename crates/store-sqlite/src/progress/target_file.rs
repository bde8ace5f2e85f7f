use super::{
    handler_turns::HandlerTurns, schema, target_home::TargetHome, target_session::TargetSession,
    target_tx::SqliteTx,
};
use crate::{
    connection::{Connector, Role},
    fault::{CLOSED, store_error},
    journal_files::JournalFiles,
    lost::Lost,
    readers::{Reader, Readers},
    room::Need,
    session::Session,
    writer::Writer,
};
use actum_persistence::{panics::log_safely, store::StoreError};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Mutex, OnceCell};

const PREPARING: &str = "preparing to keep the progress of projections";

/// A file with progress, and the connections of a target to it.
#[derive(Debug)]
pub(super) struct TargetFile {
    connector: Connector,
    role: Role,
    home: TargetHome,
    /// The connection that writes; none after one was closed: the next transaction opens another.
    slot: Arc<Mutex<Option<TargetSession>>>,
    handlers: HandlerTurns,
    readers: Arc<Readers>,
    prepared: OnceCell<()>,
    /// Stays open in a file of its own; a journal has such a connection itself.
    anchor: Mutex<Option<Session>>,
    is_closed: AtomicBool,
}

impl TargetFile {
    /// One of its own.
    pub(super) fn own(connector: Connector, files: JournalFiles, anchor: Session) -> Self {
        let files = Arc::new(files);
        let readers = Arc::new(Readers::new(connector.clone(), Arc::clone(&files)));
        let home = TargetHome { files, journal: None };
        Self::of(connector, Role::Target, home, readers, Some(anchor))
    }

    /// The one of a journal, whose readers it shares.
    pub(super) fn of_journal(
        connector: Connector,
        writer: Arc<Writer>,
        readers: Arc<Readers>,
    ) -> Self {
        let files = Arc::clone(&writer.parts().files);
        let home = TargetHome { files, journal: Some(writer) };
        Self::of(connector, Role::JournalTarget, home, readers, None)
    }

    fn of(
        connector: Connector,
        role: Role,
        home: TargetHome,
        readers: Arc<Readers>,
        anchor: Option<Session>,
    ) -> Self {
        let (slot, prepared, anchor) = (Arc::default(), OnceCell::new(), Mutex::new(anchor));
        let (handlers, is_closed) = (HandlerTurns::default(), AtomicBool::new(false));
        Self { connector, role, home, slot, handlers, readers, prepared, anchor, is_closed }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.connector.path
    }

    /// Waits for the turn and begins a transaction.
    pub(super) async fn begin(
        &self,
        doing: &'static str,
        need: Need,
    ) -> Result<SqliteTx, StoreError> {
        self.prepared().await?;
        self.begin_unprepared(doing, need).await
    }

    /// Waits for the turn and begins a transaction of a handler.
    pub(super) async fn begin_handler(&self, doing: &'static str) -> Result<SqliteTx, StoreError> {
        let turn = self.handlers.turn(&self.connector.path).await;
        Ok(self.begin(doing, Need::Growth).await?.of_handler(turn))
    }

    /// The transactions of handlers.
    pub(super) fn handlers(&self) -> &HandlerTurns {
        &self.handlers
    }

    /// Waits for a connection that reads.
    pub(super) async fn reader(&self, doing: &str) -> Result<Reader<'_>, StoreError> {
        self.prepared().await?;
        self.check_open(doing)?;
        self.readers.reader(doing).await
    }

    /// Makes sure that the tables are there.
    pub(super) async fn prepared(&self) -> Result<(), StoreError> {
        self.prepared.get_or_try_init(|| self.prepare()).await.map(drop)
    }

    /// Whether the tables are there; none are made.
    pub(super) async fn has_tables(&self) -> Result<bool, StoreError> {
        if self.prepared.initialized() {
            return Ok(true);
        }
        self.check_open(PREPARING)?;
        let mut reader = self.readers.reader(PREPARING).await?;
        let found = schema::version(&mut reader).await;
        Ok(found.map_err(|error| store_error(PREPARING, error))? > 0)
    }

    /// Fails where the file must not be written, and says why.
    pub(super) async fn check_writable(&self, doing: &str) -> Result<(), StoreError> {
        let mut tx = self.begin(PREPARING, Need::Relief).await?;
        // changes nothing, but fails: to begin does not
        let nothing = sqlx::query("UPDATE actum_progress SET first_epoch = 0 WHERE FALSE");
        let done = tx.session().session().execute(nothing).await;
        let done = done.map_err(|error| store_error(doing, self.connector.explained(error)));
        tx.finish(done).await
    }

    /// Waits for the transactions under way, closes the connections of its own, and begins no more.
    pub(super) async fn close(&self) {
        let mut slot = self.slot.lock().await;
        self.is_closed.store(true, Ordering::Release);
        if self.home.journal.is_none() {
            self.readers.close().await;
            self.home.files.release_lock();
        }
        if let Some(anchor) = self.anchor.lock().await.take() {
            warn_if_failed(anchor.close().await);
        }
        // the last connection copies the write-ahead log into the file
        if let Some(session) = slot.take() {
            warn_if_failed(session.close().await);
        }
    }

    fn check_open(&self, doing: &str) -> Result<(), StoreError> {
        match self.is_closed.load(Ordering::Acquire) {
            true => Err(StoreError::unavailable(doing, CLOSED)),
            false => Ok(()),
        }
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        let found = {
            self.check_open(PREPARING)?;
            let mut reader = self.readers.reader(PREPARING).await?;
            let found = schema::version(&mut reader).await;
            found.map_err(|error| store_error(PREPARING, error))?
        };
        let found = match found {
            0..schema::VERSION => {
                let mut tx = self.begin_unprepared(PREPARING, Need::Growth).await?;
                let migrated = schema::migrate(&mut tx).await;
                tx.finish(migrated).await?
            }
            found => found,
        };
        if found > schema::VERSION {
            let what = format!(
                "the progress of projections in `{}` has schema version {found}, this program knows up to {}: use a newer one",
                self.path().display(),
                schema::VERSION
            );
            return Err(StoreError::invalid(what));
        }
        Ok(())
    }

    async fn begin_unprepared(
        &self,
        doing: &'static str,
        need: Need,
    ) -> Result<SqliteTx, StoreError> {
        let mut slot = Arc::clone(&self.slot).lock_owned().await;
        self.check_open(doing)?;
        // behind the slot, so that of all the transactions of a target one waits in front of the journal
        let turn = self.home.turn(doing).await?;
        if slot.is_none() {
            let session = TargetSession::open(&self.connector, self.role).await;
            let files = &self.home.files;
            let session = session.map_err(|error| files.refusal_or(|| store_error(doing, error)));
            *slot = Some(session?);
            // behind opening it: it may have found another file at the path
            files.check().map_err(Lost::refusal)?;
        }
        SqliteTx::begin(slot, self.home.clone(), turn, doing, need).await
    }
}

fn warn_if_failed(closed: Result<(), sqlx::Error>) {
    if let Err(error) = closed {
        log_safely(|| tracing::warn!(%error, "a connection of projections did not close cleanly"));
    }
}
