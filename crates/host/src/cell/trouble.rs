//! What cells log of failures, in bursts: a thousand entities that fail for one cause are one warning.

use super::{CellName, Model, Turn};
use crate::{Failure, failure::full_text};
use actum_model::{Entity, EntityKey};
use actum_persistence::panics::log_safely;

use crate::log_burst;

pub(super) fn append_failed<M: Model>(name: &CellName<M>, failure: &Failure, turn: &Turn<'_, M>) {
    let (kind, error) = (M::Entity::KIND, full_text(failure));
    let report = turn.kind.bursts.appends.failed(&error, turn.now);
    log_burst!(
        report, of: [kind,], at: [entity = %name.key,], error,
        "append failed, entity leaves memory and recovers on the next command",
        keeps: "appends keep failing"
    );
}

pub(super) fn appended<M: Model>(turn: &Turn<'_, M>) {
    if let Some(failures) = turn.kind.bursts.appends.succeeded(|| turn.now) {
        let kind = M::Entity::KIND;
        log_safely(|| tracing::info!(kind, failures, "appends succeed again"));
    }
}

pub(super) fn not_recovered<M: Model>(name: &CellName<M>, failure: &Failure, turn: &Turn<'_, M>) {
    let (kind, error) = (M::Entity::KIND, full_text(failure));
    let report = turn.kind.bursts.recoveries.failed(&error, turn.now);
    log_burst!(
        report, of: [kind,], at: [entity = %name.key,], error,
        "entity not recovered", keeps: "recoveries keep failing"
    );
}

pub(super) fn recovered<M: Model>(turn: &Turn<'_, M>) {
    turn.kind.ids.warn(turn.uptime);
    if let Some(failures) = turn.kind.bursts.recoveries.succeeded(|| turn.now) {
        let kind = M::Entity::KIND;
        log_safely(|| tracing::info!(kind, failures, "entities recover again"));
    }
}

/// The state of an entity cannot be encoded, for a snapshot.
pub(super) fn no_snapshot<M: Model>(entity: &EntityKey, error: &str, turn: &Turn<'_, M>) {
    let kind = M::Entity::KIND;
    let report = turn.kind.bursts.snapshots.failed(error, turn.now);
    log_burst!(
        report, of: [kind,], at: [%entity,], error,
        "snapshot not taken, the state cannot be encoded",
        keeps: "snapshots keep failing, states cannot be encoded"
    );
}

pub(super) fn snapshot_taken<M: Model>(turn: &Turn<'_, M>) {
    if let Some(failures) = turn.kind.bursts.snapshots.succeeded(|| turn.now) {
        let kind = M::Entity::KIND;
        log_safely(|| tracing::info!(kind, failures, "states can be encoded for snapshots again"));
    }
}

/// The user's code panicked in the middle of a change, so the state in memory is not to be trusted.
pub(super) fn state_dropped<M: Model>(name: &CellName<M>, failure: &Failure) {
    let error = full_text(failure);
    log_safely(|| {
        tracing::error!(
            entity = %name.key, error,
            "entity is dropped from memory, it recovers on the next command"
        );
    });
}
