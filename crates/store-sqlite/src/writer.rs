use crate::{
    Synchronous,
    checkpoint_session::{CheckpointSession, Mode},
    connection::{Connector, Role},
    fault::{CLOSED, commit_error, store_error},
    journal_files::JournalFiles,
    known_heads::KnownHeads,
    known_owners::KnownOwners,
    lost::Lost,
    room::{Full, Need, Room},
    row::Row,
    session::{Session, Statement},
    wal_growth::WalGrowth,
};
use actum_model::LaneCount;
use actum_persistence::panics::log_safely;
use actum_persistence::store::StoreError;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};

/// The only connection of this store that writes. A caller that writes waits for its turn, first come, first served.
#[derive(Debug)]
pub(crate) struct Writer {
    connector: Connector,
    parts: WriterParts,
    turn: Arc<Mutex<Turn>>,
}

/// What a writer shares with the rest of its store.
#[derive(Debug)]
pub(crate) struct WriterParts {
    pub(crate) files: Arc<JournalFiles>,
    pub(crate) growth: Arc<WalGrowth>,
    pub(crate) room: Arc<Room>,
    pub(crate) checkpoints: Arc<CheckpointSession>,
}

/// What belongs to whose turn it is.
#[derive(Debug)]
struct Turn {
    /// None after one was thrown away; the next turn opens another.
    session: Option<Session>,
    known: KnownHeads,
    owners: KnownOwners,
    stage: Stage,
    /// Whether what can be saved from a journal that lost a file was saved.
    salvaged: bool,
}

/// How far a store has come on its way to being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Nothing new is written, but slots are given back.
    Closing,
    Closed,
}

/// A transaction that writes, begun with the lock on the file.
///
/// [`finish`](Self::finish) ends it. When it is dropped before, its connection is closed, which rolls back; but a
/// commit that was sent is still carried out, by the connection's own thread, before anybody else gets the lock.
pub(crate) struct WriteTx<'a> {
    turn: MutexGuard<'a, Turn>,
    doing: &'static str,
    parts: &'a WriterParts,
    written_bytes: u64,
    need: Need,
    /// What is to be run behind the transaction.
    then: Option<&'static str>,
}

/// Another connection of this process writes while it lives, and this one does not.
#[derive(Debug)]
pub(crate) struct ForeignTurn {
    turn: OwnedMutexGuard<Turn>,
}

/// No one writes while it lives.
pub(crate) struct Pause<'a> {
    _turn: MutexGuard<'a, Turn>,
}

impl Writer {
    pub(crate) fn new(
        connector: Connector,
        first: Session,
        lanes: LaneCount,
        parts: WriterParts,
    ) -> Self {
        let known = KnownHeads::new(lanes, connector.settings.remembered_entities);
        let (session, stage, salvaged) = (Some(first), Stage::Open, false);
        let turn = Turn { session, known, owners: KnownOwners::default(), stage, salvaged };
        Self { connector, parts, turn: Arc::new(Mutex::new(turn)) }
    }

    /// What it shares with the rest of its store.
    pub(crate) fn parts(&self) -> &WriterParts {
        &self.parts
    }

    /// Waits for the turn and begins a transaction that writes more data.
    pub(crate) async fn begin(&self, doing: &'static str) -> Result<WriteTx<'_>, StoreError> {
        Ok(self.begin_reading(doing, Need::Growth, sqlx::query("BEGIN IMMEDIATE")).await?.0)
    }

    /// As [`begin`](Self::begin), with the room that is kept for those who make room, claim slots or settle writes.
    pub(crate) async fn begin_relief(
        &self,
        doing: &'static str,
    ) -> Result<WriteTx<'_>, StoreError> {
        Ok(self.begin_reading(doing, Need::Relief, sqlx::query("BEGIN IMMEDIATE")).await?.0)
    }

    /// As [`begin`](Self::begin), with a first query in the same trip to the connection's thread: `statement` is
    /// `BEGIN IMMEDIATE; SELECT …`.
    pub(crate) async fn begin_reading(
        &self,
        doing: &'static str,
        need: Need,
        statement: Statement<'_>,
    ) -> Result<(WriteTx<'_>, Vec<Row>), StoreError> {
        let mut tx = self.turn(doing, need, Stage::Open).await?;
        let rows = tx.begin(statement).await?;
        Ok((tx, rows))
    }

    /// Waits for the turn without beginning a transaction; none where room is short, so that what is written must be
    /// checked before it is committed.
    pub(crate) async fn unbegun(
        &self,
        doing: &'static str,
    ) -> Result<Option<WriteTx<'_>>, StoreError> {
        let tx = self.turn(doing, Need::Growth, Stage::Open).await?;
        Ok((!self.parts.room.is_short()).then_some(tx))
    }

    /// As [`begin_relief`](Self::begin_relief); the commit reaches the disk whatever the settings say.
    pub(crate) async fn begin_synced(
        &self,
        doing: &'static str,
    ) -> Result<WriteTx<'_>, StoreError> {
        let mut tx = self.turn(doing, Need::Relief, Stage::Open).await?;
        if self.connector.settings.synchronous != Synchronous::Full {
            tx.execute(sqlx::query("PRAGMA synchronous = FULL")).await?;
            tx.then = Some("PRAGMA synchronous = NORMAL");
        }
        tx.begin(sqlx::query("BEGIN IMMEDIATE")).await?;
        Ok(tx)
    }

    /// As [`begin_relief`](Self::begin_relief), also between [`refuse`](Self::refuse) and [`close`](Self::close).
    pub(crate) async fn begin_last(&self, doing: &'static str) -> Result<WriteTx<'_>, StoreError> {
        let mut tx = self.turn(doing, Need::Relief, Stage::Closing).await?;
        tx.begin(sqlx::query("BEGIN IMMEDIATE")).await?;
        Ok(tx)
    }

    /// Keeps everybody from writing, while the guard lives.
    pub(crate) async fn pause(&self) -> Pause<'_> {
        Pause { _turn: self.turn.lock().await }
    }

    /// Waits for the turn on behalf of another connection of this process, which writes more data.
    pub(crate) async fn foreign_turn(&self, doing: &str) -> Result<ForeignTurn, StoreError> {
        let mut turn = Arc::clone(&self.turn).lock_owned().await;
        self.parts.check(&mut turn, doing, Stage::Open).await?;
        self.parts.room.prepare(&self.parts.checkpoints).await;
        Ok(ForeignTurn { turn })
    }

    /// Saves what can be saved, as [`salvage`](Self::salvage), for who has the turn.
    pub(crate) async fn salvage_in(&self, turn: &mut ForeignTurn) {
        self.parts.salvage(&mut turn.turn).await;
    }

    /// Lets those finish who wait for their turn already, and refuses those that come later.
    pub(crate) async fn refuse(&self) {
        let mut turn = self.turn.lock().await;
        turn.stage = turn.stage.max(Stage::Closing);
    }

    /// Waits for the turn, and closes the connection for good.
    pub(crate) async fn close(&self) {
        let mut turn = self.turn.lock().await;
        turn.stage = Stage::Closed;
        if let Some(session) = turn.session.take()
            && let Err(error) = session.close().await
        {
            log_safely(
                || tracing::warn!(%error, "the connection that writes did not close cleanly"),
            );
        }
    }

    /// Saves what can be saved, after a file of the journal was lost.
    pub(crate) async fn salvage(&self) {
        self.parts.salvage(&mut *self.turn.lock().await).await;
    }

    /// Waits for the turn, with a connection that no one has left in the middle of something.
    async fn turn(
        &self,
        doing: &'static str,
        need: Need,
        latest: Stage,
    ) -> Result<WriteTx<'_>, StoreError> {
        let mut turn = self.turn.lock().await;
        self.parts.check(&mut turn, doing, latest).await?;
        if turn.session.is_none() {
            let session = self.connector.session(Role::Writer).await;
            let session =
                session.map_err(|error| self.parts.files.refusal_or(|| store_error(doing, error)));
            turn.session = Some(session?);
            // behind opening it: it may have found another file at the path
            self.parts.files.check().map_err(Lost::refusal)?;
        }
        self.parts.room.prepare(&self.parts.checkpoints).await;
        Ok(WriteTx { turn, doing, parts: &self.parts, written_bytes: 0, need, then: None })
    }
}

impl WriterParts {
    /// Fails when the store has come further than `latest`, or a file of the journal was lost.
    async fn check(&self, turn: &mut Turn, doing: &str, latest: Stage) -> Result<(), StoreError> {
        if turn.stage > latest {
            return Err(StoreError::unavailable(doing, CLOSED));
        }
        if let Some(lost) = self.files.lost() {
            self.salvage(turn).await;
            return Err(lost.refusal());
        }
        Ok(())
    }

    /// Copies the log into the database file as long as this process still has both, once: without its name no one will
    /// find the log again.
    async fn salvage(&self, turn: &mut Turn) {
        if std::mem::replace(&mut turn.salvaged, true) || !self.files.can_be_salvaged() {
            return;
        }
        match self.checkpoints.run(Mode::Full).await {
            Ok(log) if log.copied == log.pages => {
                log_safely(|| {
                    tracing::info!("all that was committed to the journal is in its database file");
                });
            }
            Ok(log) => {
                let missing_pages = log.pages - log.copied;
                log_safely(|| {
                    tracing::error!(
                        missing_pages,
                        "not all that was committed to the journal is in its database file"
                    );
                });
            }
            Err(error) => {
                log_safely(
                    || tracing::error!(%error, "what was committed to the journal was not copied into its database file"),
                );
            }
        }
    }
}

impl WriteTx<'_> {
    /// Runs a statement.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<(), StoreError> {
        let done = self.session().execute(statement).await;
        done.map_err(|error| self.failed(error))
    }

    /// Runs a query.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let rows = self.session().rows(statement).await;
        rows.map_err(|error| self.failed(error))
    }

    /// The connection, for errors that mean something special.
    pub(crate) fn session(&mut self) -> &mut Session {
        self.turn.session.as_mut().expect("a transaction has a connection until it is dropped")
    }

    /// What this store knows of the heads of entities.
    pub(crate) fn known(&mut self) -> &mut KnownHeads {
        &mut self.turn.known
    }

    /// What this store knows of the owners of partitions.
    pub(crate) fn owners(&mut self) -> &mut KnownOwners {
        &mut self.turn.owners
    }

    /// What it does.
    pub(crate) fn doing(&self) -> &'static str {
        self.doing
    }

    /// What the failure of a statement means.
    pub(crate) fn failed(&self, error: sqlx::Error) -> StoreError {
        store_error(self.doing, error)
    }

    /// Counts what the write-ahead log will grow by, roughly.
    pub(crate) fn will_write(&mut self, bytes: u64) {
        self.written_bytes += bytes;
    }

    /// How much the transaction may write if it makes room, in bytes.
    pub(crate) async fn relief_bytes_max(&mut self) -> u64 {
        let parts = self.parts;
        parts.room.relief_bytes_max(self.session()).await
    }

    /// Commits if all went well, rolls back otherwise.
    pub(crate) async fn finish<T, E: From<StoreError>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        let result = match result {
            Ok(done) => self.commit().await.map(|()| done).map_err(E::from),
            failed => failed,
        };
        if result.is_err() {
            self.session().rollback().await;
        }
        if let Some(then) = self.then.take()
            && let Err(error) = self.session().execute(sqlx::query(then)).await
        {
            tracing::debug!(%error, then, "a setting of the connection that writes was not restored");
        }
        if self.session().take_found_full() {
            self.parts.room.recover(&self.parts.checkpoints).await;
        }
        result
    }

    /// Commits, and says so only if that will be found again.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let (bytes, need, parts) = (self.written_bytes, self.need, self.parts);
        let fits = parts.room.check(self.session(), bytes, need).await;
        fits.map_err(|full: Full| full.refusal(self.doing))?;
        let committed = self.session().commit().await;
        committed.map_err(|error| commit_error(self.doing, error))?;
        self.confirm(bytes).await
    }

    /// Runs a statement that is a transaction of its own, in place of [`finish`](Self::finish), and says how many rows
    /// it has changed. What it has written is to be [confirmed](Self::confirm).
    pub(crate) async fn run_alone(&mut self, statement: Statement<'_>) -> Result<u64, sqlx::Error> {
        let done = self.session().change(statement).await;
        if self.session().take_found_full() {
            self.parts.room.recover(&self.parts.checkpoints).await;
        }
        done
    }

    /// Says of some `bytes` that were committed whether they will be found again.
    pub(crate) async fn confirm(&mut self, bytes: u64) -> Result<(), StoreError> {
        let parts = self.parts;
        parts.growth.add(bytes);
        if let Err(lost) = parts.files.check() {
            parts.salvage(&mut self.turn).await;
            return Err(lost.unknown(self.doing));
        }
        Ok(())
    }

    async fn begin(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let begun = self.session().begin(statement).await;
        if begun.is_err() {
            self.session().rollback().await;
        }
        begun.map_err(|error| self.failed(error))
    }
}

impl Drop for WriteTx<'_> {
    fn drop(&mut self) {
        if self.turn.session.as_ref().is_some_and(|session| !session.is_idle()) {
            self.turn.session = None;
        }
    }
}

#[cfg(test)]
mod tests;
