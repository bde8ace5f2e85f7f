use super::{Snapshot, StoreError, skipped_snapshot::warn_of_skipped};
use actum_model::{EntityKey, SequenceNr};
use std::future::Future;

/// A row of a snapshot store, which may be damaged.
#[derive(Debug)]
pub struct SnapshotRow {
    /// The number it is stored under.
    pub sequence_nr: SequenceNr,
    /// The snapshot, or why it cannot be read.
    pub snapshot: Result<Snapshot, String>,
}

impl SnapshotRow {
    /// The newest snapshot of `entity` at or before `at_most` that can be read. Those that cannot are skipped, with a
    /// warning each; `newest_row` reads the newest row at or before a number.
    ///
    /// # Errors
    /// What `newest_row` returns.
    pub async fn newest_readable<F>(
        entity: &EntityKey,
        at_most: SequenceNr,
        newest_row: impl Fn(SequenceNr) -> F,
    ) -> Result<Option<Snapshot>, StoreError>
    where
        F: Future<Output = Result<Option<Self>, StoreError>>,
    {
        let mut at_most = at_most;
        while let Some(row) = newest_row(at_most).await? {
            match row.snapshot {
                Ok(snapshot) => return Ok(Some(snapshot)),
                Err(reason) => warn_of_skipped(entity, row.sequence_nr, &reason),
            }
            at_most = row.sequence_nr.previous();
        }
        Ok(None)
    }
}
