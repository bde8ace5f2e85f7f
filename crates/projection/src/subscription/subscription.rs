use super::{
    SubscriptionSettings,
    subscribed_source::{SourceOf, SubscribedSource},
};
use crate::{definition::StartAt, journal::Recorded};
use actum_model::{Entity, EntityId, EntityKey, Payload, StoredPayload};
use actum_persistence::{
    settings_check::SettingsCheck,
    store::{EventFilter, JournalEvent, JournalLayout},
};
use std::{borrow::Cow, fmt};

/// What a part of the program wants to be delivered: whose events, what it makes of each, and where it begins.
///
/// Each source has a closure that selects and maps: an event for which it returns `None` is skipped. An event goes to the first
/// source that is about its entity. Events come in the order of their lane; those of one entity always in order.
#[must_use = "a subscription begins once it is given to an engine"]
pub struct Subscription<T> {
    pub(super) settings: SubscriptionSettings,
    sources: Vec<SubscribedSource<T>>,
    manifests: Vec<String>,
    problems: Vec<String>,
}

impl<T: 'static> Subscription<T> {
    /// A subscription without a name, of which nothing is kept: it begins behind what is there now, unless it is told
    /// [where](Self::start_at), and ends with its consumer. It has one consumer, which owes no acknowledgement.
    pub fn transient() -> Self {
        Self {
            settings: SubscriptionSettings::new(StartAt::Now),
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
        self.source(SubscribedSource::typed(SourceOf::Kind(Cow::Borrowed(E::KIND)), map))
    }

    /// Delivers what `map` makes of the events of this entity.
    pub fn entity<E: Entity, F>(self, id: impl Into<E::Id>, map: F) -> Self
    where
        F: Fn(Recorded<E::Event>) -> Option<T> + Send + Sync + 'static,
    {
        match EntityKey::new(E::KIND, id.into().to_text()) {
            Ok(entity) => self.source(SubscribedSource::typed(SourceOf::Entity(entity), map)),
            Err(error) => self.problem(error.to_string()),
        }
    }

    /// Delivers what `map` makes of the events of streams of this kind, which no entity owns, decoded as this type.
    pub fn streams<E: Payload, F>(self, kind: impl Into<String>, map: F) -> Self
    where
        F: Fn(Recorded<E>) -> Option<T> + Send + Sync + 'static,
    {
        self.source(SubscribedSource::typed(SourceOf::Kind(Cow::Owned(kind.into())), map))
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
        check.into_problems()
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

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources: Vec<_> = self.sources.iter().map(|source| &source.of).collect();
        f.debug_struct("Subscription")
            .field("sources", &sources)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
