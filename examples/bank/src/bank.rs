use crate::{
    account_list::{AccountList, ListedAccount, PROJECTION},
    domain::Account,
    history::{self, History},
};
use actum::{
    AskError, Engine, EntityRef, ShutdownReport, StartError, WaitError,
    settings::{CommandWindow, EntitySettings, RuntimeSettings, SnapshotSettings},
    store::{EventStore, StoreError, Stores},
};
use std::{convert::Infallible, fmt, num::NonZeroU32, sync::Arc, time::Duration};

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

/// The bank: an engine that runs accounts, and the journal it keeps them in. Cheap to clone.
#[derive(Clone)]
pub struct Bank {
    engine: Engine,
    journal: Arc<dyn EventStore>,
    list: Option<AccountList>,
}

/// Why there is no list of accounts.
#[derive(Debug, thiserror::Error)]
pub enum NoList {
    /// This bank keeps none.
    #[error("this bank keeps no list of its accounts")]
    NotKept,
    /// It does not show the last changes yet.
    #[error(transparent)]
    Behind(#[from] WaitError),
    /// It cannot be read.
    #[error("the list of accounts cannot be read: {0:#}")]
    Unreadable(anyhow::Error),
}

/// How long a list waits for the changes that were made before it was asked for.
const LIST_WAIT: Duration = Duration::from_secs(3);

impl Bank {
    /// Starts the bank over a store.
    ///
    /// # Errors
    /// [`StartError`], above all when another bank uses the same journal.
    pub async fn start(stores: impl Into<Stores>) -> Result<Self, StartError> {
        Self::start_with(stores, None, RuntimeSettings::default()).await
    }

    /// As [`Bank::start`], with a list of the accounts, how long it gathers events for one transaction, and settings of the
    /// engine.
    ///
    /// # Errors
    /// As [`Bank::start`].
    pub async fn start_with(
        stores: impl Into<Stores>,
        list: Option<(AccountList, Duration)>,
        settings: RuntimeSettings,
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
        if let Some((list, interval)) = &list {
            engine = engine.projection(list.projection(*interval));
        }
        let list = list.map(|(list, _)| list);
        Ok(Self { engine: engine.start().await?, journal, list })
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

    /// Accounts in the order of the bytes of their ids, the first `limit` behind `after`, with every change that was
    /// acknowledged before this was called.
    ///
    /// # Errors
    /// [`NoList`] when there is none, or it does not show them in time.
    pub async fn accounts(
        &self,
        after: &str,
        limit: NonZeroU32,
    ) -> Result<Vec<ListedAccount>, NoList> {
        let list = self.list.as_ref().ok_or(NoList::NotKept)?;
        self.engine.projection(PROJECTION).caught_up(LIST_WAIT).await?;
        list.page(after, limit).await.map_err(NoList::Unreadable)
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
