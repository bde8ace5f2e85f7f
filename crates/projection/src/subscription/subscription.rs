use super::{
    SubscriptionSettings,
    subscribed_source::{SourceOf, SubscribedSource},
};
use crate::{
    definition::{SourceKind, SourceModel, StartAt},
    journal::Recorded,
    service::SUBSCRIPTION_PREFIX,
};
use actum_model::{Entity, EntityId, EntityKey, Payload, StoredPayload};
use actum_persistence::{
    progress::{ProjectionId, SOURCE_OF_STATES, SOURCE_OF_STREAMS},
    settings_check::SettingsCheck,
    store::{EventFilter, JournalEvent, JournalLayout},
};
use actum_reader::subscription::{AffinityKey, LastResort};
use std::{borrow::Cow, collections::BTreeMap, fmt, num::NonZeroU32, sync::Arc, time::Duration};

/// What a part of the program wants to be delivered: whose events, what it makes of each, and where it begins.
///
/// Each source has a closure that selects and maps: an event for which it returns `None` is skipped. An event goes to the first
/// source that is about its entity. Events come in the order of their lane; those of one entity always in order.
#[must_use = "a subscription begins once it is given to an engine"]
pub struct Subscription<T> {
    pub(super) name: Option<String>,
    pub(super) settings: SubscriptionSettings,
    pub(super) affinity: Affinity,
    sources: Vec<SubscribedSource<T>>,
    pub(super) manifests: Vec<String>,
    problems: Vec<String>,
}

/// What keeps events together.
pub(super) type Affinity = Arc<dyn Fn(&EntityKey) -> AffinityKey + Send + Sync>;

impl<T: 'static> Subscription<T> {
    /// A subscription with a name, of which is kept how far its consumers have acknowledged: it goes on there, in any process,
    /// after any crash. It begins with the first event, or [elsewhere](Self::start_at).
    ///
    /// Events come at least once. Of all processes that subscribe by this name one gets them; another takes over when that
    /// ends or dies.
    pub fn durable(name: impl Into<String>) -> Self {
        Self::new(Some(name.into()), StartAt::Beginning)
    }

    /// A subscription without a name, of which nothing is kept: it begins behind what is there now, or
    /// [elsewhere](Self::start_at), and ends with its consumer. It has one consumer, which owes no acknowledgement.
    pub fn transient() -> Self {
        Self::new(None, StartAt::Now)
    }

    fn new(name: Option<String>, start_at: StartAt) -> Self {
        Self {
            name,
            settings: SubscriptionSettings::new(start_at),
            affinity: Arc::new(|entity| AffinityKey::Entity(entity.clone())),
            sources: Vec::new(),
            manifests: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Delivers what `map` makes of the events of the entities `E`.
    pub fn from<E: Entity, F>(self, map: F) -> Self
    where
        F: Fn(Recorded<E::Event>) -> Option<T> + Send + Sync + 'static,
    {
        let of = SourceOf::Kind(Cow::Borrowed(E::KIND));
        self.source(SubscribedSource::typed(of, SourceModel::Entities, map))
    }

    /// Delivers what `map` makes of the events of this entity.
    pub fn entity<E: Entity, F>(self, id: impl Into<E::Id>, map: F) -> Self
    where
        F: Fn(Recorded<E::Event>) -> Option<T> + Send + Sync + 'static,
    {
        match EntityKey::new(E::KIND, id.into().to_text()) {
            Ok(entity) => {
                let of = SourceOf::Entity(entity);
                self.source(SubscribedSource::typed(of, SourceModel::Entities, map))
            }
            Err(error) => self.problem(error.to_string()),
        }
    }

    /// Delivers what `map` makes of the events of streams of this kind, which no entity owns, decoded as this type. An engine that
    /// runs the kind as entities refuses it.
    #[expect(clippy::wrong_self_convention, reason = "it stands beside `from` in a chain")]
    pub fn from_streams<E: Payload, F>(self, kind: impl Into<Cow<'static, str>>, map: F) -> Self
    where
        F: Fn(Recorded<E>) -> Option<T> + Send + Sync + 'static,
    {
        self.source(SubscribedSource::typed(SourceOf::Kind(kind.into()), SourceModel::Streams, map))
    }

    /// Delivers what `map` makes of the events of this stream, decoded as this type.
    pub fn stream<E: Payload, F>(
        self,
        kind: impl Into<Cow<'static, str>>,
        id: impl Into<Box<str>>,
        map: F,
    ) -> Self
    where
        F: Fn(Recorded<E>) -> Option<T> + Send + Sync + 'static,
    {
        match EntityKey::new(kind, id) {
            Ok(stream) => {
                let of = SourceOf::Entity(stream);
                self.source(SubscribedSource::typed(of, SourceModel::Streams, map))
            }
            Err(error) => self.problem(error.to_string()),
        }
    }

    /// Delivers what `map` makes of the events of these kinds, as they are stored.
    pub fn of_kinds<F>(self, kinds: impl IntoIterator<Item = impl Into<String>>, map: F) -> Self
    where
        F: Fn(Recorded<StoredPayload>) -> Option<T> + Clone + Send + Sync + 'static,
    {
        kinds.into_iter().fold(self, |this, kind| {
            let kind = SourceOf::Kind(Cow::Owned(kind.into()));
            this.source(SubscribedSource::stored(kind, map.clone()))
        })
    }

    /// Delivers what `map` makes of every event, as it is stored.
    pub fn all<F>(self, map: F) -> Self
    where
        F: Fn(Recorded<StoredPayload>) -> Option<T> + Send + Sync + 'static,
    {
        self.source(SubscribedSource::stored(SourceOf::All, map))
    }

    /// Reads only events whose manifest is one of these, or begins with one of these and a dot; the others are skipped.
    pub fn of_manifests(mut self, manifests: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.manifests = manifests.into_iter().map(Into::into).collect();
        self
    }

    /// Replaces all settings.
    pub fn settings(self, settings: SubscriptionSettings) -> Self {
        Self { settings, ..self }
    }

    /// Sets [`SubscriptionSettings::start_at`].
    pub fn start_at(self, start_at: StartAt) -> Self {
        self.set(|settings| settings.start_at = start_at)
    }

    /// Sets [`SubscriptionSettings::buffer_events`].
    pub fn buffer_events(self, buffer_events: usize) -> Self {
        self.set(|settings| settings.buffer_events = buffer_events)
    }

    /// Sets [`SubscriptionSettings::buffer_bytes`].
    pub fn buffer_bytes(self, buffer_bytes: usize) -> Self {
        self.set(|settings| settings.buffer_bytes = buffer_bytes)
    }

    /// Sets [`SubscriptionSettings::in_flight_max`].
    pub fn in_flight_max(self, in_flight_max: usize) -> Self {
        self.set(|settings| settings.in_flight_max = in_flight_max)
    }

    /// Sets [`SubscriptionSettings::in_flight_bytes_max`].
    pub fn in_flight_bytes_max(self, in_flight_bytes_max: usize) -> Self {
        self.set(|settings| settings.in_flight_bytes_max = in_flight_bytes_max)
    }

    /// Sets [`SubscriptionSettings::ack_timeout`]; `None` lets a consumer have an event in flight for ever.
    pub fn ack_timeout(self, ack_timeout: impl Into<Option<Duration>>) -> Self {
        let ack_timeout = ack_timeout.into();
        self.set(|settings| settings.ack_timeout = ack_timeout)
    }

    /// Sets [`SubscriptionSettings::consumers_max`].
    pub fn consumers_max(self, consumers_max: usize) -> Self {
        self.set(|settings| settings.consumers_max = consumers_max)
    }

    /// Sets [`SubscriptionSettings::retries`].
    pub fn retries(self, retries: u32) -> Self {
        self.set(|settings| settings.retries = retries)
    }

    /// Sets [`SubscriptionSettings::on_exhausted`].
    pub fn on_exhausted(self, on_exhausted: LastResort) -> Self {
        self.set(|settings| settings.on_exhausted = on_exhausted)
    }

    /// Sets [`SubscriptionSettings::on_undecodable`].
    pub fn on_undecodable(self, on_undecodable: LastResort) -> Self {
        self.set(|settings| settings.on_undecodable = on_undecodable)
    }

    /// Sets [`SubscriptionSettings::checkpoint_events`] and [`SubscriptionSettings::checkpoint_interval`].
    pub fn checkpoint(self, events: u64, interval: Duration) -> Self {
        self.set(|settings| {
            (settings.checkpoint_events, settings.checkpoint_interval) = (events, interval);
        })
    }

    /// Sets [`SubscriptionSettings::lease`].
    pub fn lease(self, lease: Duration) -> Self {
        self.set(|settings| settings.lease = lease)
    }

    /// Keeps the events of all entities together for which `key` returns the same: while one of them is in flight, the others
    /// go to the same consumer, in order. Those of one entity always are. The subscription stops if `key` panics.
    pub fn affinity_by(
        mut self,
        key: impl Fn(&EntityKey) -> String + Send + Sync + 'static,
    ) -> Self {
        self.affinity = Arc::new(move |entity| AffinityKey::Chosen(key(entity).into()));
        self
    }

    fn set(mut self, set: impl FnOnce(&mut SubscriptionSettings)) -> Self {
        set(&mut self.settings);
        self
    }

    fn source(mut self, source: SubscribedSource<T>) -> Self {
        self.sources.push(source);
        self
    }

    fn problem(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }

    /// Everything that is wrong with it, a sentence each.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut check = SettingsCheck::new();
        self.settings.check(&mut check);
        check.extend(self.problems.iter().cloned());
        if self.sources.is_empty() && self.problems.is_empty() {
            check.problem(
                "a subscription has no source: call `.from::<Entity, _>(..)` or `.all(..)`",
            );
        }
        check.extend(self.problems_of_kinds());
        if let Some(Err(error)) = self.name.as_ref().map(|name| subscription_id(name)) {
            check.problem(error);
        }
        check.into_problems()
    }

    /// What is wrong with the kinds of its sources.
    fn problems_of_kinds(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let kinds = self.sources.iter().map(|source| (source.of.kind(), source.model));
        let kinds = kinds.filter_map(|(kind, model)| Some((kind?, model)));
        let mut known: BTreeMap<&str, SourceModel> = BTreeMap::new();
        for (kind, model) in kinds {
            if self.name.is_some() && SourceKind::is_ambiguous(kind) {
                problems.push(format!(
                    "the source `{kind}`: no kind of a source may begin with `{SOURCE_OF_STATES}` or `{SOURCE_OF_STREAMS}`"
                ));
            }
            let Some(model) = model else { continue };
            if known.insert(kind, model).is_some_and(|other| other != model) {
                problems.push(format!(
                    "the kind `{kind}` is a source as one of entities and as one of streams: it can be one of the two"
                ));
            }
        }
        problems
    }

    /// The kinds of streams that it is about.
    pub fn stream_kinds(&self) -> impl Iterator<Item = &str> {
        let of_streams = self.sources.iter().filter(|source| source.is_of_streams());
        of_streams.filter_map(|source| source.of.kind())
    }

    /// Whose events it is about, as that is kept: kinds, and entities behind their kinds; empty for all.
    pub(super) fn kept_sources(&self) -> Vec<String> {
        let sources: Option<Vec<_>> = self.sources.iter().map(SubscribedSource::kept).collect();
        let mut sources = sources.unwrap_or_default();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    /// The events that may be delivered.
    pub(super) fn filter(&self, layout: JournalLayout) -> EventFilter {
        let mut filter =
            EventFilter { manifests: self.manifests.clone(), ..EventFilter::default() };
        let kinds: Option<Vec<_>> = self.sources.iter().map(|source| source.of.kind()).collect();
        for kind in kinds.into_iter().flatten() {
            if !filter.kinds.iter().any(|known| known == kind) {
                filter.kinds.push(kind.to_owned());
            }
        }
        let partition = |source: &SubscribedSource<T>| match &source.of {
            SourceOf::Entity(entity) => Some(entity.partition(layout.partitions)),
            SourceOf::All | SourceOf::Kind(_) => None,
        };
        let partitions: Option<Vec<_>> = self.sources.iter().map(partition).collect();
        let partitions = partitions.unwrap_or_default();
        if let (Some(first), Some(last)) = (partitions.iter().min(), partitions.iter().max()) {
            filter.partitions = Some(*first..=*last);
        }
        filter
    }

    /// The source of an event; none if it is about no such entity.
    pub(super) fn source_of(&self, event: &JournalEvent) -> Option<&SubscribedSource<T>> {
        self.sources.iter().find(|source| source.of.is_of(&event.entity))
    }
}

/// Under which name the progress of a subscription is kept.
pub(super) fn subscription_id(name: &str) -> Result<ProjectionId, String> {
    let id = ProjectionId::new(&format!("{SUBSCRIPTION_PREFIX}{name}"), NonZeroU32::MIN);
    id.ok().filter(|_| !name.is_empty()).ok_or_else(|| {
        let max = ProjectionId::NAME_BYTES_MAX - SUBSCRIPTION_PREFIX.len();
        format!(
            "`{name}` cannot name a subscription: a name has 1 to {max} letters, digits, `-`, `_`, `.` and `:` of ASCII"
        )
    })
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|source| &source.of).collect();
        f.debug_struct("Subscription")
            .field("name", &self.name)
            .field("sources", &sources)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
