use super::{
    load,
    projection_row::{about, about_segment},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::room::Need;
use actum_persistence::{
    progress::{NewProjection, ProjectionId, ReadProgress, StoredProjection},
    store::StoreError,
};

const ENTER: &str = "INSERT INTO actum_projections (name, version, sources, partitions, lanes, live_from, is_paused,
        is_active)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, FALSE, NOT EXISTS (SELECT 1 FROM actum_projections WHERE name = ?1))
    ON CONFLICT DO NOTHING";

const ENTER_SEGMENT: &str =
    "INSERT INTO actum_segments (name, version, first_partition, last_partition, progress, epoch,
        handled, saved_at)
    SELECT ?1, ?2, ?3, ?4, ?5, first_epoch, 0, 0 FROM actum_progress";

const KEEP_EPOCHS: &str = "UPDATE actum_progress SET first_epoch = max(first_epoch, ifnull(
        (SELECT max(epoch) + 1 FROM actum_segments WHERE name = ?1 AND version = ?2), 0))";

const DELETE: [&str; 5] = [
    "DELETE FROM actum_dead_letters WHERE name = ?1 AND version = ?2",
    "DELETE FROM actum_parked WHERE name = ?1 AND version = ?2",
    "DELETE FROM actum_runners WHERE name = ?1 AND version = ?2",
    "DELETE FROM actum_segments WHERE name = ?1 AND version = ?2",
    "DELETE FROM actum_projections WHERE name = ?1 AND version = ?2",
];

const PAUSE: &str = "UPDATE actum_projections SET is_paused = ?3 WHERE name = ?1 AND version = ?2";

const RESUME: &str = "UPDATE actum_segments SET stopped = NULL WHERE name = ?1 AND version = ?2 AND stopped IS NOT NULL";

pub(super) async fn enter(
    file: &TargetFile,
    new: &NewProjection,
) -> Result<StoredProjection, StoreError> {
    // mostly it is there
    if let Some(found) = load::load(file, &new.id).await? {
        return Ok(found);
    }
    let mut tx = file.begin("entering a projection", Need::Growth).await?;
    let entered = enter_in(&mut tx, new).await;
    tx.finish(entered).await?;
    drop(tx);
    let found = load::load(file, &new.id).await?;
    found.ok_or_else(|| {
        StoreError::unavailable("entering a projection", "it was deleted at the same time")
    })
}

async fn enter_in(tx: &mut SqliteTx, new: &NewProjection) -> Result<(), StoreError> {
    let sources = serde_json::to_string(&new.sources);
    let sources = sources.map_err(|error| StoreError::invalid(error.to_string()))?;
    let statement = about(ENTER, &new.id).bind(sources);
    let statement = statement.bind(new.layout.partitions.get()).bind(new.layout.lanes.get());
    let live_from = ReadProgress::behind(new.live_from.clone()).to_string();
    if tx.change(statement.bind(live_from)).await? == 0 {
        return Ok(()); // another process was faster
    }
    let progress = ReadProgress::behind(new.start.clone()).to_string();
    for segment in &new.segments {
        tx.change(about_segment(ENTER_SEGMENT, &new.id, *segment).bind(&*progress)).await?;
    }
    Ok(())
}

pub(super) async fn delete(file: &TargetFile, projection: &ProjectionId) -> Result<(), StoreError> {
    let mut tx = file.begin("deleting a projection", Need::Relief).await?;
    let done = delete_in(&mut tx, projection).await;
    tx.finish(done).await
}

async fn delete_in(tx: &mut SqliteTx, projection: &ProjectionId) -> Result<(), StoreError> {
    for statement in [KEEP_EPOCHS].into_iter().chain(DELETE) {
        tx.change(about(statement, projection)).await?;
    }
    Ok(())
}

pub(super) async fn set_paused(
    file: &TargetFile,
    projection: &ProjectionId,
    is_paused: bool,
) -> Result<(), StoreError> {
    let mut tx = file.begin("pausing a projection", Need::Relief).await?;
    let mut done = tx.change(about(PAUSE, projection).bind(is_paused)).await;
    if done.is_ok() && !is_paused {
        done = tx.change(about(RESUME, projection)).await;
    }
    tx.finish(done).await.map(drop)
}
