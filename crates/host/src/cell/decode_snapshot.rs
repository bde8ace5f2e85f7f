use super::guard;
use crate::{failure::full_text, settings::SnapshotSettings};
use actum_persistence::{
    serializer::{RecentCommands, Serializer},
    store::Snapshot,
};

/// Decodes a snapshot, all of it: the only way there is, for recovery and for retention.
pub fn decode_snapshot<E>(
    policy: &SnapshotSettings<E>,
    serializer: &Serializer,
    snapshot: &Snapshot,
) -> Result<(E, RecentCommands), String> {
    let state = guard(|| (policy.decode)(serializer, &snapshot.state))?
        .map_err(|error| full_text(&error))?;
    let recent = serializer
        .decode_recent_commands(&snapshot.recent_commands)
        .map_err(|error| full_text(&error))?;
    if recent.marks.last().is_some_and(|newest| newest.sequence_nr > snapshot.sequence_nr) {
        return Err("it remembers commands behind it".to_owned());
    }
    Ok((state, recent))
}
