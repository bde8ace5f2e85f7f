use super::{ProjectionSettings, SourceKind, SourceModel, StartAt, Switch};
use crate::handler::{
    AtLeastOnce, EntitySource, Project, ProjectState, ProjectStream, Projector, Source,
    StateSource, StreamSource,
};
use actum_model::{DurableState, Entity, Payload};
use actum_persistence::progress::ExactTarget;
use actum_reader::segment::OnFailure;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    marker::PhantomData,
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

/// A consumer of the journal with an offset: its name, its handler, whose events it handles, and how it runs.
///
/// Events come in the order of their lane; those of one entity always in order. Where it writes decides what a crash does: see
/// [`exact`](Self::exact) and [`at_least_once`](Self::at_least_once).
#[must_use = "a projection runs once it is given to an engine"]
pub struct Projection<P: Projector> {
    pub(crate) name: String,
    pub(crate) target: P::Target,
    pub(crate) projector: P,
    pub(crate) sources: Sources<P>,
    /// The kinds of its sources, as they were named.
    pub(crate) kinds: Vec<SourceKind>,
    pub(crate) settings: ProjectionSettings,
}

/// The code for the events of each kind.
pub(crate) type Sources<P> = BTreeMap<Cow<'static, str>, Arc<dyn Source<P>>>;

impl<P: Projector<Target: ExactTarget>> Projection<P> {
    /// A projection that writes to `target`, where its rows and its progress are committed in one transaction: each event is
    /// in the rows exactly once, after any crash.
    pub fn exact(name: impl Into<String>, target: P::Target, projector: P) -> Self {
        Self::new(name.into(), target, projector)
    }
}

impl<P: Projector<Target = AtLeastOnce>> Projection<P> {
    /// A projection that reaches what it writes to by itself. Its progress is saved behind each batch, in the database of
    /// the journal: after a crash the events of a batch come again, with the same
    /// [`event_id`](crate::Recorded::event_id) to recognize them by.
    pub fn at_least_once(name: impl Into<String>, projector: P) -> Self {
        Self::new(name.into(), AtLeastOnce, projector)
    }
}

impl<P: Projector> Projection<P> {
    pub(crate) fn new(name: String, target: P::Target, projector: P) -> Self {
        let (sources, kinds) = (BTreeMap::new(), Vec::new());
        Self { name, target, projector, sources, kinds, settings: ProjectionSettings::default() }
    }

    /// Handles the events of the entities `E`, too.
    pub fn from<E: Entity>(mut self) -> Self
    where
        P: Project<E>,
    {
        let source = Arc::new(EntitySource::<E>(PhantomData));
        self.add(E::KIND.into(), SourceModel::Entities, source);
        self
    }

    /// Handles the changes of the durable states `S`, too: the latest state of each entity that has changed, at least once, in
    /// the order of the changes, deletions included. States in between may be skipped. A projection has sources of events or of
    /// states, not both.
    #[expect(clippy::wrong_self_convention, reason = "it stands beside `from` in a chain")]
    pub fn from_states<S: DurableState>(mut self) -> Self
    where
        P: ProjectState<S>,
    {
        let source = Arc::new(StateSource::<S>(PhantomData));
        self.add(S::KIND.into(), SourceModel::States, source);
        self
    }

    /// Handles the events of the streams of this kind, too, which no entity owns, decoded as `E`: those of one stream in order, as
    /// those of one entity. Streams and entities may feed one projection. An engine that runs the kind as entities refuses it.
    #[expect(clippy::wrong_self_convention, reason = "it stands beside `from` in a chain")]
    pub fn from_streams<E: Payload>(mut self, kind: impl Into<Cow<'static, str>>) -> Self
    where
        P: ProjectStream<E>,
    {
        self.add(kind.into(), SourceModel::Streams, Arc::new(StreamSource::<E>(PhantomData)));
        self
    }

    fn add(&mut self, kind: Cow<'static, str>, of: SourceModel, source: Arc<dyn Source<P>>) {
        self.kinds.push(SourceKind { kind: kind.clone(), of });
        self.sources.insert(kind, source);
    }

    /// Replaces all settings.
    pub fn settings(self, settings: ProjectionSettings) -> Self {
        Self { settings, ..self }
    }

    /// Sets [`ProjectionSettings::version`].
    pub fn version(self, version: NonZeroU32) -> Self {
        self.set(|settings| settings.version = version)
    }

    /// Sets [`ProjectionSettings::switch`].
    pub fn switch(self, switch: Switch) -> Self {
        self.set(|settings| settings.switch = switch)
    }

    /// Sets [`ProjectionSettings::command_ids_of`].
    pub fn command_ids_of(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.command_ids_of = Some(name.into()))
    }

    /// Sets [`ProjectionSettings::start_at`].
    pub fn start_at(self, start_at: StartAt) -> Self {
        self.set(|settings| settings.start_at = start_at)
    }

    /// Sets [`ProjectionSettings::segments`].
    ///
    /// # Panics
    /// When it is 0.
    pub fn segments(self, segments: u16) -> Self {
        let segments = NonZeroU16::new(segments).expect("a projection has one segment at least");
        self.set(|settings| settings.segments = segments)
    }

    /// Sets [`ProjectionSettings::batch_interval`].
    pub fn batch_interval(self, batch_interval: Duration) -> Self {
        self.set(|settings| settings.batch_interval = batch_interval)
    }

    /// Sets [`ProjectionSettings::lease`].
    pub fn lease(self, lease: Duration) -> Self {
        self.set(|settings| settings.lease = lease)
    }

    /// Sets [`ProjectionSettings::handler_timeout`].
    pub fn handler_timeout(self, handler_timeout: Duration) -> Self {
        self.set(|settings| settings.handler_timeout = handler_timeout)
    }

    /// Sets [`ProjectionSettings::on_failure`].
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        self.set(|settings| settings.on_failure = on_failure)
    }

    /// Sets [`ProjectionSettings::on_unknown`].
    pub fn on_unknown(self, on_unknown: OnFailure) -> Self {
        self.set(|settings| settings.on_unknown = on_unknown)
    }

    fn set(mut self, set: impl FnOnce(&mut ProjectionSettings)) -> Self {
        set(&mut self.settings);
        self
    }
}

impl<P: Projector> fmt::Debug for Projection<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name)
            .field("sources", &self.sources.keys())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
