use crate::panics::log_safely;
use actum_model::{EntityKey, SequenceNr};

/// Reports a snapshot that is skipped.
pub(super) fn warn_of_skipped(entity: &EntityKey, sequence_nr: SequenceNr, reason: &str) {
    log_safely(|| {
        tracing::warn!(
            %entity, %sequence_nr, reason,
            "snapshot skipped, an older one or the events are used"
        );
    });
}
