use super::{
    Answered, EventStore, PageLimit, Recovered, RecoveryRead, SnapshotStore, StoreError,
    recover_carefully,
};
use actum_model::SequenceNr;

const NEWEST: SequenceNr = SequenceNr::new(u64::MAX);

/// Completes the recovery of entities that a store has read together: those whose newest snapshot cannot be used are
/// [recovered carefully](recover_carefully), one by one.
///
/// A single entity that could not be read because something is corrupt is one of them: it may be the snapshot that is
/// damaged, and then the events are enough.
///
/// # Errors
/// That of `answers`, or [`StoreError`] as [`recover_carefully`] has it.
///
/// # Cancel safety
/// Dropping the future has no effect.
pub async fn complete_recovery<S: EventStore + SnapshotStore>(
    store: &S,
    reads: &[RecoveryRead],
    limit: PageLimit,
    answers: Result<Vec<Answered>, StoreError>,
) -> Result<Vec<Recovered>, StoreError> {
    let answers = match (answers, reads) {
        (Err(StoreError::Corrupt { .. }), [read]) if read.snapshot => vec![Answered::NeedsCare],
        (answers, _) => answers?,
    };
    let mut all = Vec::with_capacity(reads.len());
    for (answer, read) in answers.into_iter().zip(reads) {
        all.push(match answer {
            Answered::Recovered(recovered) => recovered,
            Answered::NeedsCare => {
                recover_carefully(store, store, &read.entity, NEWEST, limit).await?
            }
        });
    }
    Ok(all)
}
