use crate::{
    definition::SourceModel,
    journal::{ReadError, Recorded, decode_event, stored_event},
};
use actum_model::{EntityKey, Lane, Payload, StoredPayload};
use actum_persistence::{progress::SOURCE_OF_STREAMS, store::JournalEvent};
use std::{borrow::Cow, sync::Arc};

/// Events that a subscription is about, and what it makes of them.
pub(super) struct SubscribedSource<T> {
    pub(super) of: SourceOf,
    /// What the events are of; none if that is not said.
    pub(super) model: Option<SourceModel>,
    map: Arc<MapEvent<T>>,
}

/// Whose events they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SourceOf {
    /// All.
    All,
    /// All entities of a kind.
    Kind(Cow<'static, str>),
    /// One entity.
    Entity(EntityKey),
}

/// Selects and maps: an event that it makes nothing of is skipped.
type MapEvent<T> = dyn Fn(Lane, JournalEvent) -> Result<Option<T>, ReadError> + Send + Sync;

impl<T> SubscribedSource<T> {
    /// Events that are decoded as this type.
    pub(super) fn typed<E: Payload>(
        of: SourceOf,
        model: SourceModel,
        map: impl Fn(Recorded<E>) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let map = move |lane, event| decode_event::<E>(lane, event).map(&map);
        Self { of, model: Some(model), map: Arc::new(map) }
    }

    /// Events as they are stored.
    pub(super) fn stored(
        of: SourceOf,
        map: impl Fn(Recorded<StoredPayload>) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        let map = move |lane, event| stored_event(lane, event).map(&map);
        Self { of, model: None, map: Arc::new(map) }
    }

    pub(super) fn is_of_streams(&self) -> bool {
        self.model == Some(SourceModel::Streams)
    }

    /// Under which name it is kept; none if it is about all.
    pub(super) fn kept(&self) -> Option<String> {
        let prefix = if self.is_of_streams() { SOURCE_OF_STREAMS } else { "" };
        match &self.of {
            SourceOf::All => None,
            SourceOf::Kind(kind) => Some(format!("{prefix}{kind}")),
            SourceOf::Entity(entity) => Some(format!("{prefix}{entity}")),
        }
    }

    /// What it makes of an event; nothing of one that is skipped.
    pub(super) fn map(&self, lane: Lane, event: JournalEvent) -> Result<Option<T>, ReadError> {
        (self.map)(lane, event)
    }
}

impl SourceOf {
    /// Whether it is about the events of this entity.
    pub(super) fn is_of(&self, entity: &EntityKey) -> bool {
        match self {
            Self::All => true,
            Self::Kind(kind) => kind == entity.kind(),
            Self::Entity(one) => one == entity,
        }
    }

    /// The kind it is about; none if that is every one.
    pub(super) fn kind(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Kind(kind) => Some(kind),
            Self::Entity(entity) => Some(entity.kind()),
        }
    }
}
