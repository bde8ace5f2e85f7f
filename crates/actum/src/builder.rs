use crate::{Engine, ReaderEngine, node::NodeToStart, projections, reader_engine::ReaderLimits};
use actum_model::{DurableState, EventSourced, Metadata};
use actum_persistence::{settings_check::SettingsCheck, store::Stores};
use actum_projection::{ProjectionRegistration, ReadShare, SubscriptionService};
use actum_runtime::{
    JournalReaders, Registration, Runtime, StartError,
    observe::Observer,
    settings::{CallerContext, EntitySettings, ObserverRef, RuntimeSettings},
};
use std::sync::Arc;

/// Says what an engine consists of; [`EngineBuilder::start`] checks all of it at once.
#[derive(Debug)]
#[must_use = "an engine runs once it is started"]
pub struct EngineBuilder {
    name: String,
    stores: Option<Stores>,
    registrations: Vec<Registration>,
    projections: Vec<ProjectionRegistration>,
    share: ReadShare,
    settings: RuntimeSettings,
    observer: Option<ObserverRef>,
    caller_context: Option<CallerContext>,
    streams_only: bool,
    node: NodeToStart,
}

impl EngineBuilder {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            stores: None,
            registrations: Vec::new(),
            projections: Vec::new(),
            share: ReadShare::default(),
            settings: RuntimeSettings::default(),
            observer: None,
            caller_context: None,
            streams_only: false,
            node: NodeToStart::default(),
        }
    }

    /// Keeps everything in this store, or in these [`Stores`].
    pub fn store(mut self, store: impl Into<Stores>) -> Self {
        self.stores = Some(store.into());
        self
    }

    /// Runs `E` as event-sourced entities, with this environment for their handlers and default settings.
    pub fn entity<E: EventSourced>(self, env: E::Env) -> Self {
        self.entity_with::<E>(env, EntitySettings::default())
    }

    /// Runs `E` as event-sourced entities.
    pub fn entity_with<E: EventSourced>(
        mut self,
        env: E::Env,
        settings: EntitySettings<E>,
    ) -> Self {
        self.registrations.push(Registration::event_sourced::<E>(env, settings));
        self
    }

    /// Runs `E` as durable-state entities, with this environment for their handlers and default settings.
    pub fn durable_state<E: DurableState>(self, env: E::Env) -> Self {
        self.durable_state_with::<E>(env, EntitySettings::default())
    }

    /// Runs `E` as durable-state entities.
    pub fn durable_state_with<E: DurableState>(
        mut self,
        env: E::Env,
        settings: EntitySettings<E>,
    ) -> Self {
        self.registrations.push(Registration::durable_state::<E>(env, settings));
        self
    }

    /// Runs a projection beside the entities, see [`Projection`](crate::Projection).
    pub fn projection(mut self, projection: impl Into<ProjectionRegistration>) -> Self {
        self.projections.push(projection.into());
        self
    }

    /// How many bytes of events all projections, publishers and subscriptions together may have in memory: read, and not handled
    /// or acknowledged; 64 MiB by default, at least 1 MiB. Beyond that projections wait for each other. What subscriptions hold for
    /// their consumers takes half of it at most, and where that is full they read nothing ahead.
    ///
    /// It is exceeded by single events that are larger than all of it, and where consumers ask for more than half of it: let
    /// [`in_flight_bytes_max`](crate::Subscription::in_flight_bytes_max) of all consumers together be no more than that half.
    pub fn projection_bytes_max(mut self, projection_bytes_max: usize) -> Self {
        self.share.bytes_max = projection_bytes_max;
        self
    }

    /// How many pages of events all projections, publishers and subscriptions that are far behind the head may read from the store
    /// at the same time; 2 by default, 1 to 1,000. Beyond that they wait for each other: a new projection, or a version that is
    /// rebuilt in many segments, leaves the store's connections to entities that recover and to those who are near the head.
    pub fn catch_up_reads_max(mut self, catch_up_reads_max: usize) -> Self {
        self.share.catch_up_reads_max = catch_up_reads_max;
        self
    }

    /// Runs no entities: the engine is for [streams](crate::Stream) and readers of the journal alone. Without this an engine
    /// that has no entity does not start.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actum::{Engine, Expected, MemoryStore, Stream};
    ///
    /// let engine = Engine::builder("ledgers").store(MemoryStore::new()).streams_only().start().await?;
    /// let ledger: Stream<u64> = engine.stream("ledger", "2026-11");
    /// ledger.append(Expected::NEW, [100]).await?;
    /// # assert!(engine.shutdown().await.is_clean());
    /// # Ok(())
    /// # }
    /// ```
    pub fn streams_only(mut self) -> Self {
        self.streams_only = true;
        self
    }

    /// Replaces the settings of the engine as a whole. An [`observer`](Self::observer), a
    /// [`caller_context`](Self::caller_context) and [`streams_only`](Self::streams_only) of this builder stay, before this or
    /// behind it.
    pub fn settings(mut self, settings: RuntimeSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Shows `observer` what the engine does, in place of the observer of the settings.
    ///
    /// # Examples
    /// ```
    /// use actum::{Engine, observe::{Observer, Outcome}};
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}};
    ///
    /// #[derive(Default)]
    /// struct Rejections(AtomicUsize);
    ///
    /// impl Observer for Rejections {
    ///     fn answered(&self, _kind: &'static str, _command: &'static str, outcome: Outcome) {
    ///         self.0.fetch_add(usize::from(outcome == Outcome::Rejected), Relaxed);
    ///     }
    /// }
    ///
    /// let rejections = Arc::new(Rejections::default());
    /// let engine = Engine::builder("bank").observer(rejections.clone());
    /// ```
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(ObserverRef::new(observer));
        self
    }

    /// Calls `add` with the metadata of each command on the side of its caller, and sends what it returns, in place of the
    /// caller's context of the settings: see
    /// [`RuntimeSettings::with_caller_context`](crate::settings::RuntimeSettings::with_caller_context).
    ///
    /// # Examples
    /// ```
    /// use actum::{Engine, Metadata, TraceContext};
    ///
    /// /// What a tracing library knows of the caller, as the W3C header `traceparent`.
    /// fn traceparent() -> Option<String> {
    /// #   Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned())
    /// }
    ///
    /// let engine = Engine::builder("bank").caller_context(|metadata: Metadata| {
    ///     match traceparent().and_then(|header| TraceContext::new(&header).ok()) {
    ///         Some(trace) => metadata.with_trace(trace),
    ///         None => metadata,
    ///     }
    /// });
    /// ```
    pub fn caller_context(
        mut self,
        add: impl Fn(Metadata) -> Metadata + Send + Sync + 'static,
    ) -> Self {
        self.caller_context = Some(CallerContext::new(add));
        self
    }

    /// Makes the engine a node of this cluster, which runs the same kinds of entities over the same journal: each entity is
    /// served by the node that owns its partition, and commands find it from every node.
    #[cfg(feature = "cluster")]
    pub fn cluster(mut self, cluster: crate::cluster::Cluster) -> Self {
        self.node.belongs_to(cluster);
        self
    }

    /// Starts the engine on the tokio runtime of the caller.
    ///
    /// # Errors
    /// [`StartError::Invalid`] lists everything that is wrong with the settings; [`StartError::Held`] says that another
    /// engine that is alive writes to the same journal; [`StartError::OtherModel`] that the journal holds a kind in another
    /// model than it is registered with; [`StartError::Store`] that the store failed; [`StartError::Partitions`] that the
    /// system has no thread to give.
    ///
    /// # Cancel safety
    /// Dropping the future gives up: whatever has been started by then ends, and the writer slot is given back, both in a
    /// task of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Engine, StartError> {
        let Self { name, stores, registrations, projections, share, .. } = self;
        let mut settings = self.settings;
        settings.observer = self.observer.or(settings.observer);
        settings.caller_context = self.caller_context.or(settings.caller_context);
        settings.streams_only |= self.streams_only;
        let mut check = SettingsCheck::new();
        share.check(&mut check);
        check.extend(ProjectionRegistration::problems(&projections));
        check.extend(entities_as_streams(&projections, &registrations));
        let kinds = registrations.iter().map(Registration::kind);
        let (settings, node) =
            self.node.prepare(&name, stores.as_ref(), kinds, settings, &mut check);
        let mut settings = settings;
        // they have entered before retention could delete anything
        let readers = settings.journal_readers.get_or_insert_with(JournalReaders::new).clone();
        let kept = projections::enter_kept(stores.as_ref(), &readers);
        let own = projections.iter().filter_map(ProjectionRegistration::id).collect();
        let places = projections::enter(projections, stores.as_ref(), &readers);
        let engine = name.clone();
        let problems = check.into_problems();
        let runtime =
            Runtime::start_unless(problems, name, stores, registrations, settings, node.join())
                .await?;
        let runner = projections::runner(&engine, node.name(), runtime.incarnation());
        match projections::start(&runtime, &runner, places, share).await {
            Ok(projections) => {
                let places = crate::projections::places(&runtime);
                let subscriptions = SubscriptionService::beside(&projections, places);
                let registry = crate::projections::watch(&runtime, &runner, own, kept);
                let node = node.start(&runtime);
                Ok(Engine::new(runtime, projections, subscriptions, registry, node))
            }
            Err(error) => {
                let _report = runtime.shutdown().await; // the error says what there is to say
                Err(StartError::Store(error))
            }
        }
    }
}

impl EngineBuilder {
    /// Starts the projections alone, in a process that writes nothing, beside the engine that writes the journal, see
    /// [`ReaderEngine`]. The builder has no entities. Of its settings the shutdown timeout counts.
    ///
    /// # Errors
    /// [`StartError::Invalid`] lists everything that is wrong with the settings; [`StartError::Store`] that the store failed.
    ///
    /// # Cancel safety
    /// Dropping the future may leave projections running: drop it only with the process.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start_readers(self) -> Result<ReaderEngine, StartError> {
        let Self { name, stores, registrations, projections, share, .. } = self;
        let mut check = SettingsCheck::new();
        share.check(&mut check);
        check.extend(ProjectionRegistration::problems(&projections));
        for entity in registrations {
            check.problem(format!(
                "`{}` is registered, and what only reads runs no entities",
                entity.kind()
            ));
        }
        let shutdown_timeout = self.settings.shutdown_timeout;
        let limits = ReaderLimits { share, shutdown_timeout };
        ReaderEngine::start(check, &name, stores, projections, limits).await
    }
}

/// What is wrong with projections that take entities of the engine for streams.
fn entities_as_streams(
    projections: &[ProjectionRegistration],
    registrations: &[Registration],
) -> Vec<String> {
    let is_entity = |kind: &&str| registrations.iter().any(|entity| entity.kind() == *kind);
    let problems = |projection: &ProjectionRegistration| -> Vec<String> {
        let kinds = projection.stream_kinds().filter(is_entity);
        let problem =
            |kind| format!("projection `{}` {}", projection.name(), takes_for_streams(kind));
        kinds.map(problem).collect()
    };
    projections.iter().flat_map(problems).collect()
}

/// What is wrong with a source.
pub(crate) fn takes_for_streams(kind: &str) -> String {
    format!(
        "has streams of the kind `{kind}` as a source, and the engine runs that as entities: call `.from::<Entity>()`"
    )
}
