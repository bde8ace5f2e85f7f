use super::schema;
use crate::{
    Migrate, PostgresSettings,
    connection::{Connector, Source},
    connections::{AcquiredSession, Connections},
    open,
    row::Row,
    session::{Session, Statement},
    texts::Texts,
    transaction::{self, Statements},
};
use actum_persistence::{progress::ProgressPlace, store::StoreError};
use tokio::sync::OnceCell;

/// Where progress is kept: connections that are opened when needed, and tables that are made when they are needed first.
pub(crate) struct ProgressDatabase {
    pub(super) address: String,
    pub(super) texts: Texts,
    calls: Connections,
    /// Those that handlers write through: whatever is left on one, no call meets it.
    transactions: Connections,
    /// Set once the tables were seen.
    is_ready: OnceCell<()>,
}

impl ProgressDatabase {
    pub(super) fn new(source: Source, settings: PostgresSettings) -> Self {
        Self {
            address: open::address(&source, &settings.schema),
            texts: Texts::new(&settings.schema),
            calls: Connections::new(Connector::new(source.clone(), settings.clone())),
            transactions: Connections::new(Connector::for_others(source, settings)),
            is_ready: OnceCell::new(),
        }
    }

    /// Targets of one pool are one place, and so are those of one address whose connections are their own, if their settings
    /// are the same.
    ///
    /// One that is closed refuses what is asked through it for the others; they ask by themselves then.
    pub(super) fn place(&self) -> ProgressPlace {
        let (address, connector) = (&self.address, self.calls.connector());
        let settings = &connector.settings;
        match connector.origin() {
            // clones of a pool have their options in common
            Source::Pool(pool) => {
                let pool = std::ptr::from_ref(pool.options());
                ProgressPlace::new(format_args!("{address}, pool {pool:p}, {settings:?}"))
            }
            Source::Options(_) => ProgressPlace::new(format_args!("{address}, {settings:?}")),
        }
    }

    pub(super) fn settings(&self) -> &PostgresSettings {
        &self.calls.connector().settings
    }

    /// The connections of handlers.
    pub(super) fn transactions(&self) -> &Connections {
        &self.transactions
    }

    /// Sees once that the tables are there, and makes them if that is asked for.
    pub(super) async fn ready(&self) -> Result<(), StoreError> {
        let see = || async { self.prepare(self.settings().migrate).await };
        self.is_ready.get_or_try_init(see).await.map(drop)
    }

    /// Sees that the tables are there, and makes them if they are missing and `migrate` says so.
    pub(super) async fn prepare(&self, migrate: Migrate) -> Result<(), StoreError> {
        let problems = self.settings().problems();
        if !problems.is_empty() {
            let (address, problems) = (&self.address, problems.join("; "));
            let what =
                format!("the settings for projections at {address} are not valid: {problems}");
            return Err(StoreError::invalid(what));
        }
        let mut session = self.calls.acquire(schema::DOING).await?;
        let place = schema::Place { address: &self.address, texts: &self.texts };
        schema::prepare(&mut session, self.calls.connector(), place, migrate).await
    }

    /// Whether the tables are there; none are made.
    pub(super) async fn has_tables(&self) -> Result<bool, StoreError> {
        if self.is_ready.initialized() {
            return Ok(true);
        }
        let mut session = self.calls.acquire(schema::DOING).await?;
        schema::are_there(&mut session, self.calls.connector(), &self.texts).await
    }

    async fn acquire(&self, doing: &str) -> Result<AcquiredSession<'_>, StoreError> {
        self.ready().await?;
        self.calls.acquire(doing).await
    }

    /// Runs a statement that changes nothing.
    pub(super) async fn read<'q>(
        &self,
        doing: &'static str,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<Row>, StoreError> {
        self.ready().await?;
        self.calls.read(doing, statement).await
    }

    /// Runs one statement that commits what it does; as durable as the database makes it.
    pub(super) async fn call<'q>(
        &self,
        doing: &'static str,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<Row>, StoreError> {
        let mut session = self.acquire(doing).await?;
        let connector = self.calls.connector();
        Ok(transaction::call(&mut session, connector, doing, statement).await?)
    }

    /// As [`call`](Self::call), and durable whatever the database is set to: an epoch that a crash takes back would be given
    /// to another runner.
    pub(super) async fn call_durably<'q>(
        &self,
        doing: &'static str,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<Row>, StoreError> {
        let mut session = self.acquire(doing).await?;
        let connector = self.calls.connector();
        Ok(transaction::call_durably(&mut session, connector, doing, statement).await?)
    }

    /// Runs statements as one transaction, durable whatever the database is set to.
    pub(super) async fn run<S: Statements>(
        &self,
        doing: &'static str,
        statements: S,
    ) -> Result<S::Done, StoreError> {
        let mut session = self.acquire(doing).await?;
        let session: &mut Session = &mut session;
        Ok(transaction::run(session, self.calls.connector(), doing, statements).await?)
    }

    pub(super) async fn close_all(&self) {
        self.calls.close().await;
        self.transactions.close().await;
    }
}
