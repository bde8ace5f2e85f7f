use super::{
    load,
    projection_row::{about, small},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{room::Need, row::Row};
use actum_persistence::{
    progress::{Activation, ProjectionId, ReadProgress, SaveError},
    store::StoredRow,
};

/// `?2` is not asked for: every statement about a projection has it.
const ACTIVE: &str =
    "SELECT version FROM actum_projections WHERE name = ?1 AND is_active <> 0 AND ?2 > 0";

const DEACTIVATE: &str =
    "UPDATE actum_projections SET is_active = FALSE WHERE name = ?1 AND version = ?2";

const ACTIVATE: &str = "UPDATE actum_projections SET is_active = TRUE, live_from = ?3 WHERE name = ?1 AND version = ?2";

const FREE: &str =
    "UPDATE actum_segments SET epoch = epoch + 1, owner = NULL WHERE name = ?1 AND version = ?2";

pub(super) async fn activate(file: &TargetFile, activation: &Activation) -> Result<(), SaveError> {
    let mut tx = file.begin("activating a version of a projection", Need::Growth).await?;
    let done = activate_in(&mut tx, activation).await;
    tx.finish(done).await
}

async fn activate_in(tx: &mut SqliteTx, activation: &Activation) -> Result<(), SaveError> {
    let id = &activation.projection;
    let active = tx.rows(about(ACTIVE, id)).await?;
    let active = active.first().map(|row| version_of(id, row)).transpose();
    let active = active.map_err(|error| tx.failed(error))?;
    let former = match &active {
        Some(active) => load::load_in(tx, active).await?,
        None => None,
    };
    let version = load::load_in(tx, id).await?;
    let live_from = activation.live_from(version.as_ref(), former.as_ref())?;
    if let Some(active) = &active {
        tx.change(about(DEACTIVATE, active)).await?;
        tx.change(about(FREE, active)).await?;
    }
    let live_from = ReadProgress::behind(live_from).to_string();
    tx.change(about(ACTIVATE, id).bind(live_from)).await?;
    tx.change(about(FREE, id)).await?;
    Ok(())
}

fn version_of(id: &ProjectionId, row: &Row) -> Result<ProjectionId, sqlx::Error> {
    let version = small::<u32>(row, 0)?.try_into();
    let version = version.map_err(|_| Row::damaged(0, "0 is not a version"))?;
    ProjectionId::new(id.name(), version).map_err(|error| Row::damaged(0, error.to_string()))
}
