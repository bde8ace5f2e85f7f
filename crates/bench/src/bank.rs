use crate::{
    account::{Account, Balance, Deposit, account_id},
    counted::Counts,
    journal::{Journal, Place},
};
use actum::{Engine, EngineBuilder, EntityRef, observe::Observer, settings::RuntimeSettings};
use anyhow::{Result, ensure};
use std::{sync::Arc, time::Duration};

/// An engine of accounts over a journal.
pub(crate) struct Bank {
    pub(crate) engine: Engine,
    pub(crate) counts: Arc<Counts>,
    place: Place,
}

/// References to accounts, shared by callers.
pub(crate) type Accounts = Arc<[EntityRef<Account>]>;

/// How many callers wake entities before anything is measured.
const WAKING: usize = 1_000;

impl Bank {
    pub(crate) async fn open(journal: Journal) -> Result<Self> {
        Self::open_with(journal, |engine| engine).await
    }

    /// With what `add` adds to the engine.
    pub(crate) async fn open_with(
        journal: Journal,
        add: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<Self> {
        Self::open_set(journal, RuntimeSettings::default(), add).await
    }

    /// As [`open_with`](Self::open_with), and observed.
    pub(crate) async fn open_observed(
        journal: Journal,
        observer: Arc<dyn Observer>,
        add: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<Self> {
        Self::open_set(journal, RuntimeSettings::default().with_observer(observer), add).await
    }

    async fn open_set(
        journal: Journal,
        settings: RuntimeSettings,
        add: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<Self> {
        let Journal { stores, counts, place } = journal;
        // no entity leaves while a row is measured
        let settings =
            settings.with_entities_max(2_000_000).with_ask_timeout(Duration::from_secs(60));
        let engine = Engine::builder("bench").store(stores).entity::<Account>(());
        let engine = add(engine.settings(settings)).start().await?;
        Ok(Self { engine, counts, place })
    }

    /// The first `count` accounts.
    pub(crate) fn accounts(&self, count: u32) -> Accounts {
        (0..count).map(|nr| self.engine.entity::<Account>(account_id(nr))).collect()
    }

    /// As [`accounts`](Self::accounts), all of them in memory and with an event in the journal.
    pub(crate) async fn awake(&self, count: u32) -> Result<Accounts> {
        let accounts = self.accounts(count);
        for_each(&accounts, |account| async move {
            account.ask(Deposit { amount: 1, reference: 0 }).await.map(drop)
        })
        .await?;
        ensure!(self.engine.usage().entities == count as usize, "not all entities are in memory");
        Ok(accounts)
    }

    /// Asks all of `accounts` for their balance, once.
    pub(crate) async fn look_at(accounts: &Accounts) -> Result<()> {
        for_each(accounts, |account| async move { account.ask(Balance).await.map(drop) }).await
    }

    pub(crate) async fn close(self) -> Result<()> {
        let report = self.engine.shutdown().await;
        ensure!(report.is_clean(), "the engine did not end cleanly: {report:?}");
        drop(self.engine);
        self.place.delete().await
    }
}

/// Does something with all of `accounts`, many at a time.
async fn for_each<F, E>(
    accounts: &Accounts,
    with: impl Fn(EntityRef<Account>) -> F + Copy + Send + 'static,
) -> Result<()>
where
    F: Future<Output = Result<(), E>> + Send,
    E: std::error::Error + Send + Sync + 'static,
{
    let callers: Vec<_> = (0..WAKING)
        .map(|first| {
            let accounts = Arc::clone(accounts);
            tokio::spawn(async move {
                for account in accounts.iter().skip(first).step_by(WAKING) {
                    with(account.clone()).await?;
                }
                Ok::<(), E>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    Ok(())
}
