use super::StartError;
use crate::state_model::{ModelConflict, StateModel};
use actum_persistence::store::{StoreError, Stores};

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
