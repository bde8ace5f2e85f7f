use super::database::ProgressDatabase;
use crate::session::Session;
use sqlx::PgConnection;
use std::{fmt, sync::Arc};

/// An open transaction of a [`PostgresTarget`](crate::PostgresTarget). Dropping it closes its connection: the server rolls
/// back, and cancels a statement that still runs there.
pub struct PostgresTransaction {
    /// None only while it is being dropped.
    session: Option<Session>,
    database: Arc<ProgressDatabase>,
    /// What only this transaction has in its setting `actum.tx`.
    pub(super) mark: String,
}

/// Why there is a session.
const OPEN: &str = "a session is there until the transaction is dropped";

impl PostgresTransaction {
    pub(super) fn new(session: Session, database: Arc<ProgressDatabase>, mark: String) -> Self {
        Self { session: Some(session), database, mark }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect(OPEN)
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.session().connection()
    }
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.database.transactions().take_back(session);
        }
    }
}

impl fmt::Debug for PostgresTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTransaction").field("mark", &self.mark).finish_non_exhaustive()
    }
}
