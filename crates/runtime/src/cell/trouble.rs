//! What cells log of failures, in bursts: a thousand entities that fail for one cause are one warning.

use super::{Model, Turn, entity_cell::Name};
use crate::{
    Failure,
    burst::{Burst, Tell},
    failure::full_text,
};
use actum_model::Entity;
use actum_persistence::panics::log_safely;

/// The failures of all entities of one kind.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    appends: Burst,
    recoveries: Burst,
}

pub(super) fn append_failed<M: Model>(name: &Name<M>, failure: &Failure, turn: &Turn<'_, M>) {
    let (kind, error) = (M::Entity::KIND, full_text(failure));
    let tell = turn.kind.troubles.appends.failed(&error, turn.now);
    log_safely(|| match tell {
        Tell::InFull => tracing::warn!(
            entity = %name.key, error,
            "append failed, entity leaves memory and recovers on the next command"
        ),
        Tell::Count(failures) => tracing::warn!(kind, failures, error, "appends go on failing"),
        Tell::Nothing => tracing::debug!(entity = %name.key, error, "append failed as others did"),
    });
}

pub(super) fn appended<M: Model>(turn: &Turn<'_, M>) {
    if let Some(failures) = turn.kind.troubles.appends.succeeded(turn.now) {
        let kind = M::Entity::KIND;
        log_safely(|| tracing::info!(kind, failures, "appends succeed again"));
    }
}

pub(super) fn not_recovered<M: Model>(name: &Name<M>, failure: &Failure, turn: &Turn<'_, M>) {
    let (kind, error) = (M::Entity::KIND, full_text(failure));
    let tell = turn.kind.troubles.recoveries.failed(&error, turn.now);
    log_safely(|| match tell {
        Tell::InFull => tracing::warn!(entity = %name.key, error, "entity not recovered"),
        Tell::Count(failures) => tracing::warn!(kind, failures, error, "recoveries go on failing"),
        Tell::Nothing => {
            tracing::debug!(entity = %name.key, error, "entity not recovered as others were not");
        }
    });
}

pub(super) fn recovered<M: Model>(turn: &Turn<'_, M>) {
    if let Some(failures) = turn.kind.troubles.recoveries.succeeded(turn.now) {
        let kind = M::Entity::KIND;
        log_safely(|| tracing::info!(kind, failures, "entities recover again"));
    }
}

/// The user's code panicked in the middle of a change, so the state in memory is not to be trusted.
pub(super) fn state_dropped<M: Model>(name: &Name<M>, failure: &Failure) {
    let error = full_text(failure);
    log_safely(|| {
        tracing::error!(
            entity = %name.key, error,
            "entity is dropped from memory, it recovers on the next command"
        );
    });
}
