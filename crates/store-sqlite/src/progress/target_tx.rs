use super::{
    handler_turns::HandlerTurn,
    target_home::TargetHome,
    target_session::{ROW_BYTES, TargetSession},
};
use crate::{
    fault::{cause, commit_error, is_constraint, store_error},
    room::Need,
    row::Row,
    session::Statement,
    writer::ForeignTurn,
};
use actum_persistence::{progress::SaveError, store::StoreError};
use sqlx::SqliteConnection;
use std::fmt;
use tokio::sync::OwnedMutexGuard;

/// An open transaction of a [`SqliteTarget`](crate::SqliteTarget). It has the lock on the file: no one else writes there
/// until it ends.
///
/// Dropping it rolls back, and interrupts a statement that is still running.
pub struct SqliteTx {
    slot: OwnedMutexGuard<Option<TargetSession>>,
    home: TargetHome,
    doing: &'static str,
    need: Need,
    bytes: u64,
    /// It was rolled back by SQLite, or by the handler.
    has_ended: bool,
    /// A handler has left something else than rows: the connection is closed behind the transaction.
    is_spoilt: bool,
    /// SQLite refused to commit what was written.
    is_refused: bool,
    // behind the connection: the journal and the next handler go on when that is back or closed
    turn: Option<ForeignTurn>,
    /// That of the handler it is for.
    of_handler: Option<HandlerTurn>,
}

impl SqliteTx {
    /// Begins one on the connection of the slot, which must be open.
    pub(super) async fn begin(
        slot: OwnedMutexGuard<Option<TargetSession>>,
        home: TargetHome,
        turn: Option<ForeignTurn>,
        doing: &'static str,
        need: Need,
    ) -> Result<Self, StoreError> {
        let mut tx = Self {
            slot,
            home,
            doing,
            need,
            bytes: 0,
            has_ended: false,
            is_spoilt: false,
            is_refused: false,
            turn,
            of_handler: None,
        };
        if let Err(error) = tx.session().begin().await {
            tx.session().rollback().await;
            return Err(tx.failed(error));
        }
        Ok(tx)
    }

    /// For a handler.
    pub(super) fn of_handler(mut self, turn: HandlerTurn) -> Self {
        turn.begin();
        self.of_handler = Some(turn);
        self
    }

    /// What a handler writes through.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        self.session().connection()
    }

    /// Runs a statement that changes rows, and says how many.
    pub(super) async fn change(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let done = self.session().session().change(statement).await;
        let rows = done.map_err(|error| self.failed(error))?;
        self.bytes += rows * ROW_BYTES;
        Ok(rows)
    }

    /// Runs a query.
    pub(super) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<Row>, StoreError> {
        let rows = self.session().session().rows(statement).await;
        rows.map_err(|error| self.failed(error))
    }

    /// What the failure of a statement means.
    pub(super) fn failed(&self, error: sqlx::Error) -> StoreError {
        store_error(self.doing, error)
    }

    /// Waits until all that the handler has asked for is done.
    ///
    /// # Errors
    /// [`SaveError::Broken`] when the transaction has ended meanwhile.
    pub(super) async fn settle(&mut self) -> Result<(), SaveError> {
        let settled = self.session().settle().await;
        let settled = settled.map_err(|error| self.failed(error))?;
        self.bytes += settled.bytes;
        self.is_spoilt |= settled.is_spoilt;
        if self.session().has_ended() { Err(SaveError::Broken { cause: None }) } else { Ok(()) }
    }

    /// Whether SQLite refused to commit what was written, by a constraint that it checks then.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Commits if all went well, rolls back otherwise.
    pub(super) async fn finish<T, E: From<StoreError>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        let result = match result {
            Ok(done) => self.commit().await.map(|()| done).map_err(E::from),
            failed => failed,
        };
        if result.is_err() {
            self.roll_back().await;
        }
        // the errors that a handler got are not known
        if self.session().session().take_found_full() || self.has_ended {
            self.home.recover_room().await;
        }
        result
    }

    /// Rolls back what a handler has written.
    pub(super) async fn abort(&mut self) {
        self.roll_back().await;
        if self.has_ended {
            self.home.recover_room().await;
        }
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let (doing, bytes, need) = (self.doing, self.bytes, self.need);
        let home = self.home.clone();
        home.check_room(self.session().session(), doing, bytes, need).await?;
        if let Err(error) = self.session().commit().await {
            self.is_refused = is_constraint(&error);
            return Err(match self.is_refused {
                true => StoreError::invalid(format!("{doing}: {}", cause(error))),
                false => commit_error(doing, error),
            });
        }
        home.confirm(self.turn.as_mut(), doing, bytes).await
    }

    async fn roll_back(&mut self) {
        self.has_ended |= self.session().has_ended();
        self.session().rollback().await;
        if self.of_handler.is_some() && self.session().is_idle() && !self.is_spoilt {
            let settled = self.session().settle().await;
            self.is_spoilt = settled.map_or(true, |settled| settled.is_spoilt);
        }
    }

    pub(super) fn session(&mut self) -> &mut TargetSession {
        self.slot.as_mut().expect("a transaction has a connection until it is dropped")
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        let spoilt = self.is_spoilt;
        if let Some(session) = self.slot.take_if(|session| spoilt || !session.is_idle()) {
            session.abandon();
        }
    }
}

impl fmt::Debug for SqliteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteTx").field("doing", &self.doing).finish_non_exhaustive()
    }
}
