use super::{
    dead_letters, parked,
    projection_row::{about, about_epoch, segment},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{room::Need, row::Row};
use actum_model::Offset;
use actum_persistence::{
    progress::{Epoch, ProgressChange, ProgressSave, ReadProgress, Rewind, SaveError, Segment},
    store::{StoredRow, integer},
};

const SAVE: &str = "UPDATE actum_segments
    SET progress = ?6, handled = handled + min(?7, 9223372036854775807 - handled), saved_at = ?8
    WHERE name = ?1 AND version = ?2 AND first_partition = ?3 AND last_partition = ?4 AND epoch = ?5";

const EPOCHS: &str = "SELECT first_partition, last_partition, epoch FROM actum_segments
    WHERE name = ?1 AND version = ?2 ORDER BY first_partition";

const REWIND: &str =
    "UPDATE actum_segments SET progress = ?3, epoch = epoch + 1, owner = NULL, stopped = NULL
    WHERE name = ?1 AND version = ?2";

const LIVE_FROM: &str =
    "UPDATE actum_projections SET live_from = ?3 WHERE name = ?1 AND version = ?2";

/// Keeps a change in a transaction of its own.
pub(super) async fn change(file: &TargetFile, change: &ProgressChange) -> Result<(), SaveError> {
    if *change == ProgressChange::Nothing {
        return Ok(());
    }
    let mut tx = file.begin("saving progress", Need::Growth).await?;
    let done = apply(&mut tx, change).await;
    tx.finish(done).await
}

/// Keeps a change in a transaction that may hold something else.
pub(super) async fn apply(tx: &mut SqliteTx, change: &ProgressChange) -> Result<(), SaveError> {
    match change {
        ProgressChange::Save(save) => apply_save(tx, save).await,
        ProgressChange::Rewind(rewind) => apply_rewind(tx, rewind).await,
        ProgressChange::Nothing => Ok(()),
    }
}

async fn apply_save(tx: &mut SqliteTx, save: &ProgressSave) -> Result<(), SaveError> {
    let projection = &save.projection;
    let statement = about_epoch(SAVE, projection, save.segment, save.epoch);
    let statement = statement.bind(save.progress.to_string()).bind(integer::bound(save.handled));
    if tx.change(statement.bind(save.saved_at.as_micros())).await? == 0 {
        return Err(SaveError::Stale);
    }
    for replayed in &save.replayed {
        parked::advance(tx, projection, replayed).await?;
    }
    for entity in &save.parked {
        parked::keep(tx, projection, entity).await?;
    }
    for place in &save.letters_replayed {
        dead_letters::remove(tx, projection, *place).await?;
    }
    for letter in &save.dead_letters {
        dead_letters::keep(tx, projection, letter).await?;
    }
    Ok(())
}

async fn apply_rewind(tx: &mut SqliteTx, rewind: &Rewind) -> Result<(), SaveError> {
    let projection = &rewind.projection;
    let found = tx.rows(about(EPOCHS, projection)).await?;
    let found: Result<Vec<_>, _> = found.iter().map(epoch).collect();
    let found = found.map_err(|error| tx.failed(error))?;
    if found.is_empty() || found != rewind.seen {
        return Err(SaveError::Stale);
    }
    let place = |offset: &Offset| ReadProgress::behind(offset.clone()).to_string();
    tx.change(about(REWIND, projection).bind(place(&rewind.to))).await?;
    tx.change(about(LIVE_FROM, projection).bind(place(&rewind.live_from))).await?;
    parked::forget(tx, projection).await?;
    dead_letters::forget_behind(tx, projection, &rewind.to).await?;
    Ok(())
}

fn epoch(row: &Row) -> Result<(Segment, Epoch), sqlx::Error> {
    Ok((segment(row, 0)?, Epoch::new(row.count(2)?)))
}
