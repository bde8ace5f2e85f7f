use super::{
    projection_row::{about, progress, segment_columns, small, stored_segment},
    target_file::TargetFile,
    target_tx::SqliteTx,
};
use crate::{fault::store_error, readers::Reader, row::Row};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::{
    progress::{
        InvalidProjectionId, NewProjection, ProjectionId, RunnerRow, StoredProjection,
        StoredSegment,
    },
    store::{JournalLayout, StoreError, StoredRow},
};

const PROJECTION: &str = "SELECT sources, partitions, lanes, live_from, is_paused, is_active,
        (SELECT count(*) FROM actum_parked WHERE name = ?1 AND version = ?2),
        (SELECT count(request) FROM actum_parked WHERE name = ?1 AND version = ?2),
        (SELECT count(*) FROM actum_dead_letters WHERE name = ?1 AND version = ?2),
        (SELECT count(*) FROM actum_dead_letters WHERE name = ?1 AND version = ?2 AND is_requested <> 0)
    FROM actum_projections WHERE name = ?1 AND version = ?2";

const SEGMENTS: &str = concat!(
    "SELECT ",
    segment_columns!(),
    " FROM actum_segments WHERE name = ?1 AND version = ?2 ORDER BY first_partition"
);

const RUNNERS: &str =
    "SELECT runner, renewal FROM actum_runners WHERE name = ?1 AND version = ?2 ORDER BY runner";

const ALL: &str = "SELECT name, version FROM actum_projections ORDER BY name, version";

/// What is kept of a projection, read in one moment.
pub(super) async fn load(
    file: &TargetFile,
    projection: &ProjectionId,
) -> Result<Option<StoredProjection>, StoreError> {
    let doing = "loading a projection";
    let mut reader = file.reader(doing).await?;
    let found = read(&mut reader, projection).await;
    found.map_err(|error| store_error(doing, error))
}

/// The names and versions of all.
pub(super) async fn projections(file: &TargetFile) -> Result<Vec<ProjectionId>, StoreError> {
    let doing = "listing projections";
    if !file.has_tables().await? {
        return Ok(Vec::new()); // a read is no reason to make them
    }
    let rows = file.reader(doing).await?.rows(sqlx::query(ALL)).await;
    let ids = rows.and_then(|rows| rows.iter().map(id).collect());
    ids.map_err(|error| store_error(doing, error))
}

/// As [`load`], in a transaction and without its runners.
pub(super) async fn load_in(
    tx: &mut SqliteTx,
    projection: &ProjectionId,
) -> Result<Option<StoredProjection>, StoreError> {
    let found = tx.rows(about(PROJECTION, projection)).await?;
    let Some(row) = found.first() else { return Ok(None) };
    let segments = tx.rows(about(SEGMENTS, projection)).await?;
    let found = stored(projection, row, &segments, &[]);
    found.map(Some).map_err(|error| tx.failed(error))
}

async fn read(
    reader: &mut Reader<'_>,
    projection: &ProjectionId,
) -> Result<Option<StoredProjection>, sqlx::Error> {
    reader.begin(sqlx::query("BEGIN")).await?;
    let found = reader.rows(about(PROJECTION, projection)).await?;
    let found = match found.first() {
        Some(row) => {
            let segments = reader.rows(about(SEGMENTS, projection)).await?;
            let runners = reader.rows(about(RUNNERS, projection)).await?;
            Some((row, segments, runners))
        }
        None => None,
    };
    reader.commit().await?;
    found.map(|(row, segments, runners)| stored(projection, row, &segments, &runners)).transpose()
}

fn stored(
    projection: &ProjectionId,
    row: &Row,
    segments: &[Row],
    runners: &[Row],
) -> Result<StoredProjection, sqlx::Error> {
    let live_from = progress(row, 3)?.offset().clone();
    let new = NewProjection {
        id: projection.clone(),
        sources: sources(row, 0)?,
        layout: layout(row, 1)?,
        segments: Vec::new(),
        start: live_from.clone(),
        live_from,
    };
    let mut stored = StoredProjection::new(new, row.number(5)? != 0);
    stored.is_paused = row.number(4)? != 0;
    (stored.parked, stored.requested) = (row.count(6)?, row.count(7)?);
    (stored.dead_letters, stored.letters_requested) = (row.count(8)?, row.count(9)?);
    stored.segments =
        segments.iter().map(stored_segment).collect::<Result<Vec<StoredSegment>, _>>()?;
    stored.runners = runners.iter().map(runner).collect::<Result<_, _>>()?;
    Ok(stored)
}

fn id(row: &Row) -> Result<ProjectionId, sqlx::Error> {
    let id = ProjectionId::new(
        &row.text(0)?,
        small::<u32>(row, 1)?.try_into().map_err(|_| Row::damaged(1, "0 is not a version"))?,
    );
    id.map_err(|error: InvalidProjectionId| Row::damaged(0, error.to_string()))
}

fn runner(row: &Row) -> Result<RunnerRow, sqlx::Error> {
    Ok(RunnerRow::new(row.text(0)?, row.count(1)?))
}

fn sources(row: &Row, index: usize) -> Result<Vec<String>, sqlx::Error> {
    let text = row.text(index)?;
    let damaged = |_| Row::damaged(index, format!("`{text}` is not a list of kinds"));
    serde_json::from_str(&text).map_err(damaged)
}

fn layout(row: &Row, index: usize) -> Result<JournalLayout, sqlx::Error> {
    let partitions = PartitionCount::new(small(row, index)?);
    let lanes = LaneCount::new(small(row, index + 1)?);
    match (partitions, lanes) {
        (Some(partitions), Some(lanes)) => Ok(JournalLayout { partitions, lanes }),
        _ => Err(Row::damaged(index, "a journal has at least one partition and one lane")),
    }
}
