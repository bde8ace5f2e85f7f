use super::{
    projection_row::{about_epoch, about_segment, stored},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::room::Need;
use actum_persistence::{
    progress::{Epoch, ProjectionId, SaveError, Segment, StoredSegment},
    store::{StoreError, integer},
};

const REMOVE: &str = "DELETE FROM actum_segments
    WHERE name = ?1 AND version = ?2 AND first_partition = ?3 AND last_partition = ?4 AND epoch = ?5";

const ENTER: &str = "INSERT INTO actum_segments (name, version, first_partition, last_partition, epoch, progress, handled,
        saved_at, stopped)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

pub(super) async fn divide(
    file: &TargetFile,
    projection: &ProjectionId,
    seen: &[(Segment, Epoch)],
    into: &[StoredSegment],
) -> Result<(), SaveError> {
    let of = seen.iter().map(|(segment, _)| *segment);
    if !Segment::have_same_partitions(of, into.iter().map(|one| one.segment)) {
        let what = format!("{projection} would be divided into other partitions than it has");
        return Err(StoreError::invalid(what).into());
    }
    let mut tx = file.begin("dividing a projection", Need::Growth).await?;
    let done = divide_in(&mut tx, projection, seen, into).await;
    tx.finish(done).await
}

async fn divide_in(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
    seen: &[(Segment, Epoch)],
    into: &[StoredSegment],
) -> Result<(), SaveError> {
    for (segment, epoch) in seen {
        if tx.change(about_epoch(REMOVE, projection, *segment, *epoch)).await? == 0 {
            return Err(SaveError::Stale);
        }
    }
    // behind all of them, so that a segment that comes back has no epoch again
    let last = seen.iter().map(|(_, epoch)| epoch.get()).max().unwrap_or_default();
    let epoch = stored(last.saturating_add(1), "the epoch")?;
    for new in into {
        let statement = about_segment(ENTER, projection, new.segment)
            .bind(epoch)
            .bind(new.progress.to_string())
            .bind(integer::bound(new.handled))
            .bind(new.saved_at.as_micros())
            .bind(new.stopped.as_deref());
        tx.change(statement).await?;
    }
    Ok(())
}
