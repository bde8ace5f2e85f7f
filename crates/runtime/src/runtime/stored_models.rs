use super::StartError;
use actum_persistence::store::{StoreError, Stores};
use std::fmt;

/// How the state of an entity is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateModel {
    /// As its events.
    EventSourced,
    /// Whole, in one record.
    DurableState,
}

/// A kind that the journal holds in another model than it is registered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConflict {
    /// The kind.
    pub kind: String,
    /// How it is registered.
    pub registered: StateModel,
    /// How entities of this kind are stored.
    pub stored: StateModel,
}

/// Refuses kinds whose entities are stored in the other model: they would all start empty.
///
/// To be called by the only writer of the journal, so that no entity of another model can come later.
pub(super) async fn check(
    stores: &Stores,
    kinds: &[(&'static str, StateModel)],
) -> Result<(), StartError> {
    let mut conflicts = Vec::new();
    for (kind, registered) in kinds {
        if has_other(stores, kind, *registered).await? {
            let (kind, registered) = ((*kind).to_owned(), *registered);
            conflicts.push(ModelConflict { kind, registered, stored: registered.other() });
        }
    }
    if conflicts.is_empty() { Ok(()) } else { Err(StartError::OtherModel { conflicts }) }
}

async fn has_other(
    stores: &Stores,
    kind: &str,
    registered: StateModel,
) -> Result<bool, StoreError> {
    match registered {
        StateModel::EventSourced => stores.states.has_states_of(kind).await,
        StateModel::DurableState => stores.events.has_events_of(kind).await,
    }
}

impl StateModel {
    fn other(self) -> Self {
        match self {
            Self::EventSourced => Self::DurableState,
            Self::DurableState => Self::EventSourced,
        }
    }
}

impl fmt::Display for StateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventSourced => "event-sourced",
            Self::DurableState => "durable-state",
        })
    }
}

impl fmt::Display for ModelConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, registered, stored } = self;
        write!(
            f,
            "kind `{}` is registered as {registered}, and the journal holds {stored} entities of it",
            kind.escape_debug()
        )
    }
}
