use crate::{
    account_list::{self, ListedAccount},
    domain::Account,
    history::{self, History},
    read_models::{ProjectionPace, ReadModels},
    statements::{self, DayTotal, StatementLine, Statements, Zone},
};
use actum::{
    AskError, Engine, EntityRef, Health, ProjectionRef, Receipt, ShutdownReport, StartError,
    WaitError,
    cluster::{Cluster, ClusterView, Node},
    settings::{CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
    store::{EventStore, StoreError, Stores},
};
use actum_publish_websocket::{LiveEvents, LiveSettings};
use std::{convert::Infallible, fmt, num::NonZeroU32, sync::Arc, time::Duration};

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// The bank: an engine that runs accounts, and the journal it keeps them in. Cheap to clone.
#[derive(Clone)]
pub struct Bank {
    engine: Engine,
    journal: Arc<dyn EventStore>,
    read_models: Option<ReadModels>,
}

/// Why what projections keep is not shown.
#[derive(Debug, thiserror::Error)]
pub enum NotReadable {
    /// This bank keeps nothing beside its journal.
    #[error("this bank keeps no lists and no statements")]
    NotKept,
    /// It does not show the last changes yet.
    #[error(transparent)]
    Behind(#[from] WaitError),
    /// It cannot be read.
    #[error("the database cannot be read: {0:#}")]
    Unreadable(anyhow::Error),
}

/// How long a read waits for the changes that it is to show.
const READ_WAIT: Duration = Duration::from_secs(3);

/// How many may follow the events at once.
const LIVE_CLIENTS_MAX: usize = 200;
/// How often those who follow hear something, whether anything happens or not.
const LIVE_HEARTBEAT: Duration = Duration::from_secs(5);

impl Bank {
    /// Starts the bank over a store.
    ///
    /// # Errors
    /// [`StartError`], above all when another bank uses the same journal.
    pub async fn start(stores: impl Into<Stores>) -> Result<Self, StartError> {
        Self::start_with(stores, None, RuntimeSettings::default()).await
    }

    /// As [`Bank::start`], with what projections keep beside the journal, how they run, and settings of the engine.
    ///
    /// # Errors
    /// As [`Bank::start`].
    pub async fn start_with(
        stores: impl Into<Stores>,
        read_models: Option<(ReadModels, ProjectionPace)>,
        settings: RuntimeSettings,
    ) -> Result<Self, StartError> {
        Self::start_node(stores, read_models, settings, None).await
    }

    /// As [`Bank::start_with`], as a node of a cluster if one is given: then several banks share the accounts of the journal.
    ///
    /// # Errors
    /// As [`Bank::start`].
    pub async fn start_node(
        stores: impl Into<Stores>,
        read_models: Option<(ReadModels, ProjectionPace)>,
        settings: RuntimeSettings,
        cluster: Option<Cluster>,
    ) -> Result<Self, StartError> {
        let stores = stores.into();
        let journal = Arc::clone(&stores.events);
        // a client may come back for half an hour to ask for the outcome of an order, whatever the account's others do: up to
        // a million of them
        let window =
            CommandWindow::default().with_age_min(HALF_AN_HOUR).with_commands_max(1_000_000);
        let accounts = EntitySettings::default()
            .with_snapshots(SnapshotSettings::every(1_000))
            .with_command_window(window);
        let mut engine = Engine::builder("bank")
            .store(stores)
            .entity_with::<Account>((), accounts)
            .settings(settings);
        if let Some(cluster) = cluster {
            engine = engine.cluster(cluster);
        }
        if let Some((read_models, pace)) = &read_models {
            for projection in read_models.projections(*pace) {
                engine = engine.projection(projection);
            }
        }
        let read_models = read_models.map(|(read_models, _)| read_models);
        Ok(Self { engine: engine.start().await?, journal, read_models })
    }

    /// Addresses an account. It need not exist: opening it is a command like any other.
    #[must_use]
    pub fn account(&self, id: &str) -> EntityRef<Account> {
        self.engine.entity(id)
    }

    /// Reads what happened to an account behind the revision `after`, at most `limit` events; none if nothing ever
    /// happened to it.
    ///
    /// The journal itself is read, not the entity: it holds the whole history, however long, and a page of it costs the
    /// entity nothing. What was acknowledged is in it.
    ///
    /// # Errors
    /// Never a rejection; what an ask of the entity may end in too.
    pub async fn history(
        &self,
        id: &str,
        after: u64,
        limit: NonZeroU32,
    ) -> Result<Option<History>, AskError<Infallible>> {
        history::read(&*self.journal, id, after, limit).await
    }

    /// Accounts in the order of the bytes of their ids, the first `limit` behind `after`: with the write of `receipt`, or
    /// without one with every change that was acknowledged before this was called.
    ///
    /// # Errors
    /// [`NotReadable`] when there is no list, or it does not show them in time.
    pub async fn accounts(
        &self,
        after: &str,
        limit: NonZeroU32,
        receipt: Option<Receipt>,
    ) -> Result<Vec<ListedAccount>, NotReadable> {
        let list = &self.read_models()?.list;
        self.shown(account_list::PROJECTION, receipt).await?;
        list.page(after, limit).await.map_err(NotReadable::Unreadable)
    }

    /// Lines of the statement of an account, the first `limit` behind the revision `after`: as up to date as
    /// [`accounts`](Self::accounts).
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts).
    pub async fn statement(
        &self,
        account: &str,
        after: u64,
        limit: NonZeroU32,
        receipt: Option<Receipt>,
    ) -> Result<Vec<StatementLine>, NotReadable> {
        let statements = self.statements(receipt).await?;
        statements.lines(account, after, limit).await.map_err(NotReadable::Unreadable)
    }

    /// What was moved on each day, in order, the first `limit` behind `after`, and whose days these are: as up to date as
    /// [`accounts`](Self::accounts).
    ///
    /// # Errors
    /// As [`accounts`](Self::accounts).
    pub async fn days(
        &self,
        after: &str,
        limit: NonZeroU32,
        receipt: Option<Receipt>,
    ) -> Result<(&Zone, Vec<DayTotal>), NotReadable> {
        let statements = self.statements(receipt).await?;
        let days = statements.days(after, limit).await.map_err(NotReadable::Unreadable)?;
        Ok((statements.zone(), days))
    }

    async fn statements(&self, receipt: Option<Receipt>) -> Result<&Statements, NotReadable> {
        let statements = &self.read_models()?.statements;
        self.shown(statements::PROJECTION, receipt).await?;
        Ok(statements)
    }

    fn read_models(&self) -> Result<&ReadModels, NotReadable> {
        self.read_models.as_ref().ok_or(NotReadable::NotKept)
    }

    async fn shown(&self, projection: &str, receipt: Option<Receipt>) -> Result<(), WaitError> {
        let projection = self.engine.projection(projection);
        // behind a snapshot an account does not know where its last event is: then everything is waited for
        match receipt.filter(|receipt| receipt.position.is_some()) {
            Some(receipt) => projection.caught_up_with(&receipt, READ_WAIT).await,
            None => projection.caught_up(READ_WAIT).await,
        }
    }

    /// The projections of the bank.
    pub fn projections(&self) -> impl Iterator<Item = ProjectionRef> {
        self.engine.projections()
    }

    /// The events of all accounts, for those who follow them live.
    pub fn live(&self) -> LiveEvents {
        let settings = LiveSettings::default()
            .with_clients_max(LIVE_CLIENTS_MAX)
            .with_heartbeat(LIVE_HEARTBEAT);
        LiveEvents::new(&self.engine).source("/bank").from::<Account>().settings(settings)
    }

    /// How the bank is at the moment.
    #[must_use]
    pub fn health(&self) -> Health {
        self.engine.health()
    }

    /// The cluster as this bank sees it, if it belongs to one.
    #[must_use]
    pub fn cluster(&self) -> Option<Arc<ClusterView>> {
        self.engine.cluster().map(Node::view)
    }

    /// Whether another bank has taken over the journal. This one then answers every request as unavailable, for good.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.engine.is_fenced()
    }

    /// Waits until another bank has taken over the journal; as a rule for ever.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fenced(&self) {
        self.engine.fenced().await;
    }

    /// Waits until the store is lost, and says what has happened; as a rule for ever.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn lost(&self) -> StoreError {
        self.engine.lost().await
    }

    /// Shuts the engine down gracefully.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.engine.shutdown().await
    }
}

impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bank").field("engine", &self.engine).finish_non_exhaustive()
    }
}
