use crate::{EngineBuilder, Stream, builder::takes_for_streams, node::EngineNode};
use actum_model::{Entity, Payload};
use actum_persistence::{
    commits::Commits,
    progress::ProjectionId,
    store::{Incarnation, StoreError},
};
use actum_projection::{
    Consumer, Journal, ProjectionError, ProjectionRef, ProjectionService, RegisteredProjection,
    Registry, Subscription, SubscriptionError, SubscriptionRef, SubscriptionService,
};
use actum_runtime::{EntityRef, Health, JournalReaders, Runtime, ShutdownReport, Usage};
use std::borrow::Cow;

/// An event-sourced entity runtime, embedded in this process. Cheap to clone; all clones are one engine.
///
/// Several engines live side by side in a process, each over a journal of its own. [`Engine::shutdown`] ends one
/// gracefully; dropping the last clone is a crash as far as entities are concerned: what was acknowledged is durable.
/// A clone in the environment of an entity is never dropped, see [`Entity::Env`].
#[derive(Clone, Debug)]
pub struct Engine {
    runtime: Runtime,
    projections: ProjectionService,
    subscriptions: SubscriptionService,
    registry: Registry,
    node: EngineNode,
}

impl Engine {
    /// Begins an engine of this name, 1 to 255 bytes, which appears in logs and in what other engines report about the
    /// holder of a journal.
    pub fn builder(name: impl Into<String>) -> EngineBuilder {
        EngineBuilder::new(name.into())
    }

    pub(crate) fn new(
        runtime: Runtime,
        projections: ProjectionService,
        subscriptions: SubscriptionService,
        registry: Registry,
        node: EngineNode,
    ) -> Self {
        Self { runtime, projections, subscriptions, registry, node }
    }

    /// Addresses an entity by its id. The entity need not exist: its first command activates it.
    ///
    /// An id that can name no entity, or a kind the engine was not built with, gives a reference through which every ask
    /// ends in [`AskError::Invalid`](crate::AskError::Invalid).
    pub fn entity<E: Entity>(&self, id: impl Into<E::Id>) -> EntityRef<E> {
        self.runtime.entity(id)
    }

    /// Addresses a stream: events of a kind and an id of its own, for code that wants no entity. See [`Stream`].
    ///
    /// A name that no stream can have, or a kind that the engine runs as entities, gives one whose appends end in
    /// [`AppendError::Invalid`](crate::AppendError::Invalid).
    #[must_use]
    pub fn stream<E: Payload>(
        &self,
        kind: impl Into<Cow<'static, str>>,
        id: impl Into<Box<str>>,
    ) -> Stream<E> {
        Stream::new(&self.runtime, kind, id)
    }

    /// What the engine holds in memory at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.runtime.usage()
    }

    /// Which life of a writer this engine is: larger than that of every engine that wrote to the journal before.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.runtime.incarnation()
    }

    /// The journal, to be read beside the entities: histories, events behind an offset, lists of entities.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example<Account: actum::Entity<Id = String>>(engine: actum::Engine)
    /// # -> Result<(), actum::ReadError>
    /// # where Account::Event: std::fmt::Debug {
    /// let mut history = engine.journal().history::<Account>("acc-1");
    /// while let Some(recorded) = history.next().await? {
    ///     println!("{}: {:?}", recorded.sequence_nr, recorded.event);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(self.runtime.stores().clone())
    }

    /// The projection of this name: to see how it is, to wait for it, and to change how it runs. Of several versions the
    /// active one, or the newest if the engine does not run that.
    ///
    /// If the engine has no such projection, everything that is asked of it says so.
    ///
    /// # Examples
    /// ```no_run
    /// # use actum::{Engine, Entity, EntityRef, Handle, Lists};
    /// # use std::time::Duration;
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Deposit(u64);
    /// # actum::payload!(actum::Json: Deposit = "deposit");
    /// # async fn example<Account, Place>(engine: Engine, account: EntityRef<Account>)
    /// # -> Result<(), Box<dyn std::error::Error>>
    /// # where
    /// #     Account: Handle<Deposit>,
    /// #     Account::Commands: Lists<Deposit, Place>,
    /// # {
    /// let (_, receipt) = account.ask(Deposit(5)).with_receipt().await?;
    /// // what is read from the rows of the projection now shows the deposit
    /// engine.projection("balances").caught_up_with(&receipt, Duration::from_secs(1)).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn projection(&self, name: &str) -> ProjectionRef {
        self.projections.projection(name)
    }

    /// All projections of events and durable subscriptions that are kept in the database of the journal, whether someone runs
    /// them or not: none of the events that one of them has not read is deleted.
    ///
    /// # Errors
    /// [`ProjectionError`] when the store fails.
    pub async fn registered_projections(
        &self,
    ) -> Result<Vec<RegisteredProjection>, ProjectionError> {
        self.registry.list().await
    }

    /// Deletes what is kept of a projection or a durable subscription that no one runs, so that it holds back no events any
    /// more. What it has written stays.
    ///
    /// # Errors
    /// [`ProjectionError::IsRun`] when someone runs it, or may: a runner that has died is known to be dead a minute after
    /// this engine has seen it first. Otherwise when the store fails.
    pub async fn forget_projection(&self, id: &ProjectionId) -> Result<(), ProjectionError> {
        self.registry.forget(id).await
    }

    /// All projections of the engine, in the order in which its builder got them.
    pub fn projections(&self) -> impl Iterator<Item = ProjectionRef> {
        self.projections.projections()
    }

    /// Begins to deliver events to a part of the program, see [`Subscription`].
    ///
    /// # Errors
    /// [`SubscriptionError`]: the subscription is not valid, the engine was shut down, or the store failed.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn subscribe<T: 'static>(
        &self,
        subscription: Subscription<T>,
    ) -> Result<Consumer<T>, SubscriptionError> {
        let entities = subscription.stream_kinds().filter(|kind| self.runtime.kind(kind).is_some());
        let problem = |kind| format!("the subscription {}", takes_for_streams(kind));
        let problems: Vec<_> = entities.map(problem).collect();
        if !problems.is_empty() {
            return Err(SubscriptionError::Invalid { problems });
        }
        self.subscriptions.subscribe(subscription).await
    }

    /// The durable subscription of this name, whether anyone has subscribed or not: to see how it is, and to replay its dead
    /// letters. If nothing is kept of it, everything that is asked of it says so.
    #[must_use]
    pub fn subscription(&self, name: &str) -> SubscriptionRef {
        SubscriptionRef::new(name, &self.subscriptions)
    }

    /// Forgets a durable subscription, whether anyone has subscribed or not: one of the same name begins again. Consumers that it
    /// has are ended by an error.
    ///
    /// # Errors
    /// [`SubscriptionError`] when the name cannot be one, or the store fails.
    pub async fn delete_subscription(&self, name: &str) -> Result<(), SubscriptionError> {
        self.subscriptions.delete(name).await
    }

    /// What the engine commits, from its start on: for those who read the journal beside it.
    #[must_use]
    pub fn commits(&self) -> &Commits {
        self.runtime.commits()
    }

    /// Those who read the journal beside the engine. Who [enters](JournalReaders::enter) is asked to end when everything
    /// is written, before the store is closed.
    #[must_use]
    pub fn readers(&self) -> &JournalReaders {
        self.runtime.readers()
    }

    /// Whether another engine has taken over the journal, so that this one serves nothing any more.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.runtime.is_fenced()
    }

    /// Waits until another engine has taken over the journal; as a rule for ever. Any number of callers may wait.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn serve(_: &actum::Engine) {}
    /// # async fn example(engine: actum::Engine) {
    /// tokio::select! {
    ///     () = serve(&engine) => {}
    ///     () = engine.fenced() => eprintln!("another engine has taken over"),
    /// }
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn fenced(&self) {
        self.runtime.fenced().await;
    }

    /// How the engine is at the moment: whether it serves, and if not, why. It does no I/O and waits for no one.
    #[must_use]
    pub fn health(&self) -> Health {
        self.runtime.health()
    }

    /// Waits until the store is lost, for example because its files were removed, and says what has happened; as a rule it
    /// waits for ever. The engine then serves nothing any more: shut it down, and start another once the store is repaired.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub async fn lost(&self) -> StoreError {
        self.runtime.lost().await
    }

    /// Shuts down gracefully: refuses new commands, answers those that were taken, writes everything, releases the
    /// journal and closes the store. The report says what could not be finished within the shutdown timeout. It takes a
    /// few seconds more at most, whatever the store does. A second call waits for the first and gets the same report.
    ///
    /// # Cancel safety
    /// Dropping the future stops nothing: the shutdown goes on in a task of its own. Another call waits for it.
    #[cfg_attr(
        feature = "cluster",
        doc = "\n\nThe node of a cluster first hands off all it owns, within the same time."
    )]
    pub async fn shutdown(&self) -> ShutdownReport {
        self.node.shutdown(&self.runtime).await
    }

    /// The node of this engine, if it belongs to a cluster.
    #[cfg(feature = "cluster")]
    #[must_use]
    pub fn cluster(&self) -> Option<&crate::cluster::Node> {
        self.node.node()
    }
}
