use crate::projections::{enter, later_places};
use actum_persistence::{settings_check::SettingsCheck, store::Stores};
use actum_projection::{
    Consumer, Journal, ProjectionRef, ProjectionRegistration, ProjectionService, ReadShare,
    ServiceParts, Subscription, SubscriptionError, SubscriptionRef, SubscriptionService,
};
use actum_runtime::{JournalReaders, StartError};
use std::{sync::Arc, time::Duration};

/// Projections and subscriptions in a process that writes nothing: any number of such processes share the segments of their
/// projections with each other, and with the [`Engine`](crate::Engine) that writes the journal. Cheap to clone; all clones are one.
///
/// It learns of commits by asking the store: twice a second while nothing happens, without a pause while there is something
/// to read. What its projections have not read, the retention of the engine keeps.
///
/// Dropping the last clone ends nothing: [`shutdown`](Self::shutdown) does, and gives segments back at once.
///
/// # Examples
/// ```no_run
/// # async fn example<P: actum::Project<Account>, Account: actum::Entity>(
/// #     store: actum::MemoryStore, balances: impl Into<actum::ProjectionRegistration>,
/// # ) -> Result<(), actum::StartError> {
/// use actum::Engine;
///
/// let readers = Engine::builder("bank").store(store).projection(balances).start_readers().await?;
/// // …
/// readers.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReaderEngine {
    stores: Stores,
    readers: JournalReaders,
    projections: ProjectionService,
    subscriptions: SubscriptionService,
    shutdown_timeout: Duration,
}

/// The longest name of an engine that only reads, in bytes.
const NAME_BYTES_MAX: usize = 200;

impl ReaderEngine {
    pub(crate) async fn start(
        check: SettingsCheck,
        name: &str,
        stores: Option<Stores>,
        projections: Vec<ProjectionRegistration>,
        limits: ReaderLimits,
    ) -> Result<Self, StartError> {
        let mut problems = check.into_problems();
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) {
            let bytes = name.len();
            problems.push(format!(
                "the name of an engine that only reads has 1 to {NAME_BYTES_MAX} bytes, this one has {bytes}"
            ));
        }
        let stores = match stores {
            Some(stores) if problems.is_empty() => stores,
            Some(_) => return Err(StartError::Invalid { problems }),
            None => {
                problems.push("no store was given: call `.store(..)`".to_owned());
                return Err(StartError::Invalid { problems });
            }
        };
        let readers = JournalReaders::new();
        let places = enter(projections, Some(&stores), &readers);
        let parts = ServiceParts {
            // of this life alone
            runner: format!("{name}/{:016x}", fastrand::u64(..)).into(),
            events: Arc::clone(&stores.events),
            states: Arc::clone(&stores.states),
            progress: Arc::clone(&stores.progress),
            commits: None,
            share: limits.share,
        };
        let projections = ProjectionService::start(parts, places).await?;
        let subscriptions =
            SubscriptionService::beside(&projections, later_places(&stores, &readers));
        let shutdown_timeout = limits.shutdown_timeout;
        Ok(Self { stores, readers, projections, subscriptions, shutdown_timeout })
    }

    /// The projection of this name, as [`Engine::projection`](crate::Engine::projection).
    #[must_use]
    pub fn projection(&self, name: &str) -> ProjectionRef {
        self.projections.projection(name)
    }

    /// All projections, in the order in which the builder got them.
    pub fn projections(&self) -> impl Iterator<Item = ProjectionRef> {
        self.projections.projections()
    }

    /// Begins to deliver events to a part of the program, as [`Engine::subscribe`](crate::Engine::subscribe).
    ///
    /// # Errors
    /// [`SubscriptionError`]: the subscription is not valid, the readers were shut down, or the store failed.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn subscribe<T: 'static>(
        &self,
        subscription: Subscription<T>,
    ) -> Result<Consumer<T>, SubscriptionError> {
        self.subscriptions.subscribe(subscription).await
    }

    /// The durable subscription of this name, as [`Engine::subscription`](crate::Engine::subscription).
    #[must_use]
    pub fn subscription(&self, name: &str) -> SubscriptionRef {
        SubscriptionRef::new(name, &self.subscriptions)
    }

    /// Forgets a durable subscription, as [`Engine::delete_subscription`](crate::Engine::delete_subscription).
    ///
    /// # Errors
    /// [`SubscriptionError`] when the name cannot be one, or the store fails.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), SubscriptionError> {
        self.subscriptions.delete(name).await
    }

    /// The journal, as [`Engine::journal`](crate::Engine::journal).
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(self.stores.clone())
    }

    /// Ends: what is being handled is finished or undone, segments and subscriptions are given back, and the store is closed.
    /// Returns the names of those that have not ended within the shutdown timeout of the settings; their leases end anyway.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the store open; the readers end all the same.
    pub async fn shutdown(&self) -> Vec<Arc<str>> {
        let late = self.readers.end_within(self.shutdown_timeout).await;
        self.stores.close().await;
        late
    }
}

/// Bounds of an engine that only reads.
pub(crate) struct ReaderLimits {
    pub(crate) share: ReadShare,
    pub(crate) shutdown_timeout: Duration,
}
