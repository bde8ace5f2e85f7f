use crate::{
    connection::Connector,
    fault::{Fault, store_error},
    outage::Outage,
    row::Row,
    session::{Session, Statement},
    texts::Text,
};
use actum_persistence::store::StoreError;
use sqlx::AssertSqlSafe;
use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// How long a connection that no one needs stays open.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// The connections for everything but appends: opened when needed, up to a bound, used again.
#[derive(Debug)]
pub(crate) struct Connections {
    outage: Outage,
    permits: Semaphore,
    /// The one used last at the end.
    idle: Mutex<Vec<Session>>,
}

/// A connection to use; it goes back when dropped, or is closed if it was left in the middle of something.
pub(crate) struct AcquiredSession<'a> {
    session: Option<Session>,
    connections: &'a Connections,
    /// Whether others have used it before: it may turn out that the server has forgotten it.
    used_before: bool,
    permit: Option<SemaphorePermit<'a>>,
}

/// How a transaction begins.
enum Beginning {
    /// As the store's own do.
    Own,
    /// With this text, for statements of others.
    ForOthers(Text),
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        let permits = Semaphore::new(connector.settings.connections_max as usize);
        Self { outage: Outage::new(connector), permits, idle: Mutex::default() }
    }

    pub(crate) fn connector(&self) -> &Connector {
        self.outage.connector()
    }

    /// Makes a connection to be kept, beside those that are acquired.
    pub(crate) async fn lasting(&self, doing: &str) -> Result<Session, StoreError> {
        let mut session = self.outage.connect(doing).await?;
        let set_up = self.connector().set_up(&mut session).await;
        set_up.map_err(|error| store_error(doing, error))?;
        Ok(session)
    }

    /// Waits for a connection.
    pub(crate) async fn acquire(&self, doing: &str) -> Result<AcquiredSession<'_>, StoreError> {
        let permit = self.permit(doing).await?;
        while let Some(mut session) = self.take_idle() {
            let needs_no_ping = session.unused_for() < self.connector().settings.ping_after_idle;
            if needs_no_ping || self.is_alive(&mut session).await {
                return Ok(self.acquired(session, true, permit));
            }
            self.forget(); // the others are older: each would be waited for in turn
        }
        let session = self.outage.connect(doing).await?;
        Ok(self.acquired(session, false, permit))
    }

    /// As [`acquire`](Self::acquire), when the server turned out to have forgotten a connection: the others are as old.
    async fn acquire_fresh(&self, doing: &str) -> Result<AcquiredSession<'_>, StoreError> {
        self.forget();
        self.acquire(doing).await
    }

    /// As [`acquire`](Self::acquire), with a transaction begun; on another connection when the server had forgotten the
    /// first.
    pub(crate) async fn begin(&self, doing: &str) -> Result<AcquiredSession<'_>, StoreError> {
        self.begin_as(doing, &Beginning::Own).await
    }

    /// As [`begin`](Self::begin), with a transaction that others write in: `text` begins it.
    pub(crate) async fn begin_for_others(
        &self,
        doing: &str,
        text: Text,
    ) -> Result<AcquiredSession<'_>, StoreError> {
        self.begin_as(doing, &Beginning::ForOthers(text)).await
    }

    async fn begin_as(
        &self,
        doing: &str,
        beginning: &Beginning,
    ) -> Result<AcquiredSession<'_>, StoreError> {
        let mut acquired = self.acquire(doing).await?;
        let mut begun = self.begin_on(&mut acquired, beginning).await;
        if begun.as_ref().is_err_and(|error| acquired.was_forgotten(error)) {
            drop(acquired);
            acquired = self.acquire_fresh(doing).await?;
            begun = self.begin_on(&mut acquired, beginning).await;
        }
        begun.map_err(|error| store_error(doing, error))?;
        Ok(acquired)
    }

    async fn begin_on(
        &self,
        session: &mut Session,
        beginning: &Beginning,
    ) -> Result<(), sqlx::Error> {
        match beginning {
            Beginning::Own => session.begin(self.connector().begin()).await,
            Beginning::ForOthers(text) => {
                session.begin_for_others(AssertSqlSafe(Arc::clone(&text.0))).await
            }
        }
    }

    /// Takes back a connection that was [taken along](AcquiredSession::take_along).
    pub(crate) fn take_back(&self, session: Session) {
        if can_serve_again(&session) && !self.permits.is_closed() {
            self.idle().push(session);
        }
        self.permits.add_permits(1);
    }

    /// Runs a statement that changes nothing, and again when the server had forgotten the connection.
    pub(crate) async fn read<'q>(
        &self,
        doing: &str,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<Row>, StoreError> {
        self.read_each(doing, statement, Vec::new, Vec::push).await
    }

    /// As [`read`](Self::read), with each row taken into what `begin` has made as soon as it comes.
    pub(crate) async fn read_each<'q, T: Send>(
        &self,
        doing: &str,
        statement: impl Fn() -> Statement<'q>,
        begin: impl Fn() -> T,
        take: impl Fn(&mut T, Row) + Send + Sync,
    ) -> Result<T, StoreError> {
        let mut acquired = self.acquire(doing).await?;
        let mut read = self.run(&mut acquired, statement(), begin(), &take).await;
        if read.as_ref().is_err_and(|error| acquired.was_forgotten(error)) {
            drop(acquired);
            acquired = self.acquire_fresh(doing).await?;
            read = self.run(&mut acquired, statement(), begin(), &take).await;
        }
        read.map_err(|error| store_error(doing, error))
    }

    /// Whether a connection that was not used for a while still answers.
    pub(crate) async fn is_alive(&self, session: &mut Session) -> bool {
        let patience = self.connector().settings.connect_timeout;
        timeout(patience, session.is_alive()).await.unwrap_or(false)
    }

    async fn run<T: Send>(
        &self,
        acquired: &mut AcquiredSession<'_>,
        statement: Statement<'_>,
        mut into: T,
        take: &(impl Fn(&mut T, Row) + Sync),
    ) -> Result<T, sqlx::Error> {
        let each = async |session: &mut Session| {
            session.each_row(statement, |row| take(&mut into, row)).await?;
            Ok(into)
        };
        self.connector().read(acquired, each).await
    }

    /// Waits for what is under way, closes the connections, and gives out no more.
    pub(crate) async fn close(&self) {
        self.outage.close().await;
        let all = self.connector().settings.connections_max;
        if self.permits.acquire_many(all).await.is_err() {
            return; // closed before
        }
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for session in idle {
            if let Err(error) = session.close().await {
                tracing::debug!(%error, "a connection did not close cleanly");
            }
        }
    }

    async fn permit(&self, doing: &str) -> Result<SemaphorePermit<'_>, StoreError> {
        let patience = self.connector().settings.connect_timeout;
        match timeout(patience, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(StoreError::unavailable(doing, "the store was closed")),
            Err(_) => {
                let all = self.connector().settings.connections_max;
                let what = format!("all {all} connections were in use for {patience:?}");
                Err(StoreError::unavailable(doing, what))
            }
        }
    }

    fn acquired<'a>(
        &'a self,
        session: Session,
        used_before: bool,
        permit: SemaphorePermit<'a>,
    ) -> AcquiredSession<'a> {
        let (session, permit) = (Some(session), Some(permit));
        AcquiredSession { session, connections: self, used_before, permit }
    }

    fn take_idle(&self) -> Option<Session> {
        let mut idle = self.idle();
        idle.retain(|session| session.unused_for() < KEPT_FOR);
        idle.pop()
    }

    fn forget(&self) {
        let forgotten = std::mem::take(&mut *self.idle());
        drop(forgotten); // not while the list is held
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        // nothing panics while the list is held
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AcquiredSession<'_> {
    /// Takes the connection along, to be [taken back](Connections::take_back) later; it counts as in use until then.
    pub(crate) fn take_along(mut self) -> Session {
        if let Some(permit) = self.permit.take() {
            permit.forget();
        }
        self.session.take().expect("a connection is there until it is given back")
    }

    /// Whether `error` says no more than that the server has forgotten a connection which others have used before.
    fn was_forgotten(&self, error: &sqlx::Error) -> bool {
        self.used_before && Fault::of(error).ends_connection()
    }
}

impl Deref for AcquiredSession<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a connection is there until it is given back")
    }
}

impl DerefMut for AcquiredSession<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a connection is there until it is given back")
    }
}

impl Drop for AcquiredSession<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(can_serve_again) {
            self.connections.idle().push(session);
        }
    }
}

/// Whether others may get the connection: a pool's goes back to the pool.
fn can_serve_again(session: &Session) -> bool {
    session.is_idle() && !session.is_pooled()
}
