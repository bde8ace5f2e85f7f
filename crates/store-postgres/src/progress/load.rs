use super::{
    database::ProgressDatabase,
    key::{of_projection, segment},
};
use crate::{
    fault::store_error,
    row::{Row, column},
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::{
    progress::{
        Epoch, NewProjection, ProjectionId, ReadProgress, RunnerRow, StoredProjection,
        StoredSegment,
    },
    store::{JournalLayout, StoreError, StoredRow},
};
use std::num::NonZeroU32;

pub(super) const LOADING: &str = "loading what is kept of a projection";

/// One statement, which sees one moment. The first column says what a row is.
pub(super) const LOAD: &str = "SELECT 0::bigint, p.partitions::bigint, p.lanes::bigint, p.is_paused::integer::bigint,
        p.is_active::integer::bigint,
        (SELECT count(*) FROM @parked AS k WHERE k.name = $1 AND k.version = $2),
        (SELECT count(*) FROM @parked AS k WHERE k.name = $1 AND k.version = $2 AND k.request IS NOT NULL),
        (SELECT count(*) FROM @dead_letters AS d WHERE d.name = $1 AND d.version = $2),
        (SELECT count(*) FROM @dead_letters AS d WHERE d.name = $1 AND d.version = $2 AND d.is_requested),
        p.live_from, NULL, NULL, p.sources
    FROM @projections AS p WHERE p.name = $1 AND p.version = $2
    UNION ALL
    SELECT 1, s.first, s.last, s.epoch, s.handled, s.saved_at, NULL, NULL, NULL, s.progress, s.owner, s.stopped, NULL
    FROM @segments AS s WHERE s.name = $1 AND s.version = $2
    UNION ALL
    SELECT 2, r.renewal, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.runner, NULL, NULL, NULL
    FROM @runners AS r WHERE r.name = $1 AND r.version = $2";

impl ProgressDatabase {
    pub(super) async fn load(
        &self,
        projection: &ProjectionId,
    ) -> Result<Option<StoredProjection>, StoreError> {
        let load = || of_projection(sqlx::query(self.texts.of(LOAD)), projection);
        stored(projection, &self.read(LOADING, load).await?)
    }

    pub(super) async fn projections(&self) -> Result<Vec<ProjectionId>, StoreError> {
        let doing = "listing projections";
        if !self.has_tables().await? {
            return Ok(Vec::new()); // a read is no reason to make them
        }
        let list = "SELECT name, version FROM @projections ORDER BY name, version";
        let rows = self.read(doing, || sqlx::query(self.texts.of(list))).await?;
        let id = |row: &Row| {
            let version = u32::try_from(row.number(1)?).ok().and_then(NonZeroU32::new);
            let version = version.ok_or_else(|| Row::damaged(1, "it is not a version"))?;
            let id = ProjectionId::new(&row.text(0)?, version);
            id.map_err(|error| Row::damaged(0, error.to_string()))
        };
        let ids: Result<Vec<_>, sqlx::Error> = rows.iter().map(id).collect();
        ids.map_err(|error| store_error(doing, error))
    }
}

/// What the rows of [`LOAD`] say.
pub(super) fn stored(
    projection: &ProjectionId,
    rows: &[Row],
) -> Result<Option<StoredProjection>, StoreError> {
    let failed = |error| store_error(&format!("{LOADING}, {projection}"), error);
    let of = |what| {
        let is_of = move |row: &&Row| row.number(0).is_ok_and(|of| of == what);
        rows.iter().filter(is_of)
    };
    let Some(head) = of(0).next() else { return Ok(None) };
    let mut stored = head_of(projection, head).map_err(failed)?;
    let lanes = stored.layout.lanes;
    let segments: Result<Vec<_>, _> = of(1).map(|row| stored_segment(row, lanes)).collect();
    stored.segments = segments.map_err(failed)?;
    stored.segments.sort_unstable_by_key(|one| one.segment);
    let runner = |row: &Row| Ok(RunnerRow::new(row.text(9)?, row.count(1)?));
    let runners: Result<Vec<_>, _> = of(2).map(runner).collect();
    stored.runners = runners.map_err(failed)?;
    stored.runners.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(stored))
}

fn head_of(projection: &ProjectionId, row: &Row) -> Result<StoredProjection, sqlx::Error> {
    let number = |index| Ok::<_, sqlx::Error>(u16::try_from(row.number(index)?).ok());
    let partitions = number(1)?.and_then(PartitionCount::new);
    let partitions = partitions.ok_or_else(|| Row::damaged(1, "there is no partition"))?;
    let lanes = number(2)?.and_then(LaneCount::new);
    let lanes = lanes.ok_or_else(|| Row::damaged(2, "there is no lane"))?;
    let live_from = progress(row, 9, lanes)?.offset().clone();
    let new = NewProjection {
        id: projection.clone(),
        sources: column(row, 12)?,
        layout: JournalLayout { partitions, lanes },
        segments: Vec::new(),
        start: live_from.clone(),
        live_from,
    };
    let mut stored = StoredProjection::new(new, row.number(4)? != 0);
    stored.is_paused = row.number(3)? != 0;
    stored.parked = row.count(5)?;
    stored.requested = row.count(6)?;
    stored.dead_letters = row.count(7)?;
    stored.letters_requested = row.count(8)?;
    Ok(stored)
}

fn stored_segment(row: &Row, lanes: LaneCount) -> Result<StoredSegment, sqlx::Error> {
    let mut stored = StoredSegment::new(segment(row, 1)?, progress(row, 9, lanes)?);
    stored.epoch = Epoch::new(row.count(3)?);
    stored.handled = row.count(4)?;
    stored.saved_at = row.timestamp(5)?;
    stored.owner = row.optional_text(10)?.map(Into::into);
    stored.stopped = row.optional_text(11)?.map(Into::into);
    Ok(stored)
}

/// Progress in a journal of so many lanes.
fn progress(row: &Row, index: usize, lanes: LaneCount) -> Result<ReadProgress, sqlx::Error> {
    let progress: ReadProgress =
        row.text(index)?.parse().map_err(|error: String| Row::damaged(index, error))?;
    if progress.offset().positions().len() != usize::from(lanes.get()) {
        let what = format!("`{progress}` does not have {} lanes", lanes.get());
        return Err(Row::damaged(index, what));
    }
    Ok(progress)
}
