use crate::{connections::Connections, known_heads::KnownHeads, session::Session};
use actum_persistence::store::StoreError;
use tokio::sync::{Mutex, MutexGuard};

/// The only connection of this store that appends to a lane. A caller that appends waits for its turn, first come,
/// first served.
#[derive(Debug)]
pub(crate) struct LaneWriter {
    turn: Mutex<Lane>,
}

/// What belongs to whose turn it is.
#[derive(Debug)]
struct Lane {
    /// None before the first turn, and after one was thrown away.
    session: Option<Session>,
    known: KnownHeads,
    closed: bool,
}

/// The turn of one append. When it ends in the middle of something, the connection is closed at once: a transaction
/// that no one will commit must not keep its locks.
pub(crate) struct Turn<'a>(MutexGuard<'a, Lane>);

impl LaneWriter {
    pub(crate) fn new(remembered_entities: usize) -> Self {
        let known = KnownHeads::new(remembered_entities);
        Self { turn: Mutex::new(Lane { session: None, known, closed: false }) }
    }

    /// Waits for the turn, with a connection that no one has left in the middle of something.
    pub(crate) async fn turn(
        &self,
        connections: &Connections,
        doing: &'static str,
    ) -> Result<Turn<'_>, StoreError> {
        let mut turn = self.turn.lock().await;
        if turn.closed {
            return Err(StoreError::unavailable(doing, "the store was closed"));
        }
        let session = match turn.session.take().filter(Session::is_idle) {
            Some(session)
                if session.unused_for() < connections.connector().settings.ping_after_idle =>
            {
                Some(session)
            }
            Some(mut session) => connections.is_alive(&mut session).await.then_some(session),
            None => None,
        };
        turn.session = Some(match session {
            Some(session) => session,
            None => connections.lasting(doing).await?,
        });
        Ok(Turn(turn))
    }

    /// Waits for the turn, and closes the connection for good.
    pub(crate) async fn close(&self) {
        let mut turn = self.turn.lock().await;
        turn.closed = true;
        if let Some(session) = turn.session.take()
            && let Err(error) = session.close().await
        {
            tracing::debug!(%error, "the connection of a lane did not close cleanly");
        }
    }
}

impl Turn<'_> {
    /// The connection, and what is known of the lane.
    pub(crate) fn parts(&mut self) -> (&mut Session, &mut KnownHeads) {
        let Lane { session, known, .. } = &mut *self.0;
        (session.as_mut().expect("a turn has a connection until it is over"), known)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.0.session.as_ref().is_some_and(|session| !session.is_idle()) {
            self.0.session = None;
        }
    }
}
