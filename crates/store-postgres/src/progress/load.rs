use super::{
    database::ProgressDatabase,
    key::{segment, version},
};
use crate::{
    fault::store_error,
    row::{Row, column},
    session::Statement,
    texts::Texts,
};
use actum_model::{LaneCount, PartitionCount};
use actum_persistence::{
    progress::{
        Epoch, NewProjection, ProjectionId, ReadProgress, RunnerRow, StoredProjection,
        StoredSegment, check_count,
    },
    store::{JournalLayout, StoreError, StoredRow},
};
use std::num::NonZeroU32;

pub(super) const LOADING: &str = "loading what is kept of projections";

/// One statement, which sees one moment, about the projections of a list. The first column says about which of them a row is,
/// the second what it is.
const LOAD: &str = "WITH wanted AS (
        SELECT w.name, w.version, w.nr FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w (name, version, nr)
    )
    SELECT w.nr, 0::bigint, p.partitions::bigint, p.lanes::bigint, p.is_paused::integer::bigint,
        p.is_active::integer::bigint,
        (SELECT count(*) FROM @parked AS k WHERE k.name = p.name AND k.version = p.version),
        (SELECT count(*) FROM @parked AS k
            WHERE k.name = p.name AND k.version = p.version AND k.request IS NOT NULL),
        (SELECT count(*) FROM @dead_letters AS d WHERE d.name = p.name AND d.version = p.version),
        (SELECT count(*) FROM @dead_letters AS d
            WHERE d.name = p.name AND d.version = p.version AND d.is_requested),
        p.live_from, NULL, NULL, p.sources
    FROM wanted AS w JOIN @projections AS p ON p.name = w.name AND p.version = w.version
    UNION ALL
    SELECT w.nr, 1, s.first, s.last, s.epoch, s.handled, s.saved_at, NULL, NULL, NULL, s.progress, s.owner, s.stopped, NULL
    FROM wanted AS w JOIN @segments AS s ON s.name = w.name AND s.version = w.version
    UNION ALL
    SELECT w.nr, 2, r.renewal, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.runner, NULL, NULL, NULL
    FROM wanted AS w JOIN @runners AS r ON r.name = w.name AND r.version = w.version";

impl ProgressDatabase {
    pub(super) async fn load_all(
        &self,
        projections: &[ProjectionId],
    ) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
        check_count(projections.len())?;
        let rows = self.read(LOADING, || statement(&self.texts, projections)).await?;
        stored(projections, &rows)
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

/// Loads these projections.
pub(super) fn statement<'q>(texts: &Texts, projections: &[ProjectionId]) -> Statement<'q> {
    let names: Vec<_> = projections.iter().map(|id| id.name().to_owned()).collect();
    let versions: Vec<_> = projections.iter().map(version).collect();
    sqlx::query(texts.of(LOAD)).bind(names).bind(versions)
}

/// What the rows of a [`statement`] about one projection say.
pub(super) fn stored_one(
    projection: &ProjectionId,
    rows: &[Row],
) -> Result<Option<StoredProjection>, StoreError> {
    stored(std::slice::from_ref(projection), rows)?.remove(0)
}

/// What the rows of a [`statement`] say, in the order of its list; of a projection that cannot be right its error.
fn stored(
    projections: &[ProjectionId],
    rows: &[Row],
) -> Result<Vec<Result<Option<StoredProjection>, StoreError>>, StoreError> {
    let mut sorted = vec![Vec::new(); projections.len()];
    for row in rows {
        let nr = row.entry(projections.len()).map_err(|error| store_error(LOADING, error))?;
        sorted[nr].push(row);
    }
    let one = |(projection, rows): (_, Vec<&Row>)| {
        let stored = stored_of(projection, &rows);
        stored.map_err(|error| store_error(&format!("{LOADING}, {projection}"), error))
    };
    Ok(projections.iter().zip(sorted).map(one).collect())
}

fn stored_of(
    projection: &ProjectionId,
    rows: &[&Row],
) -> Result<Option<StoredProjection>, sqlx::Error> {
    let of = |what| {
        let is_of = move |row: &&&Row| row.number(1).is_ok_and(|of| of == what);
        rows.iter().filter(is_of)
    };
    let Some(head) = of(0).next() else { return Ok(None) };
    let mut stored = head_of(projection, head)?;
    let lanes = stored.layout.lanes;
    stored.segments = of(1).map(|row| stored_segment(row, lanes)).collect::<Result<_, _>>()?;
    stored.segments.sort_unstable_by_key(|one| one.segment);
    let runner = |row: &&Row| Ok(RunnerRow::new(row.text(10)?, row.count(2)?));
    stored.runners = of(2).map(runner).collect::<Result<_, sqlx::Error>>()?;
    stored.runners.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(Some(stored))
}

fn head_of(projection: &ProjectionId, row: &Row) -> Result<StoredProjection, sqlx::Error> {
    let number = |index| Ok::<_, sqlx::Error>(u16::try_from(row.number(index)?).ok());
    let partitions = number(2)?.and_then(PartitionCount::new);
    let partitions = partitions.ok_or_else(|| Row::damaged(2, "there is no partition"))?;
    let lanes = number(3)?.and_then(LaneCount::new);
    let lanes = lanes.ok_or_else(|| Row::damaged(3, "there is no lane"))?;
    let live_from = progress(row, 10, lanes)?.offset().clone();
    let new = NewProjection {
        id: projection.clone(),
        sources: column(row, 13)?,
        layout: JournalLayout { partitions, lanes },
        segments: Vec::new(),
        start: live_from.clone(),
        live_from,
    };
    let mut stored = StoredProjection::new(new, row.number(5)? != 0);
    stored.is_paused = row.number(4)? != 0;
    stored.parked = row.count(6)?;
    stored.requested = row.count(7)?;
    stored.dead_letters = row.count(8)?;
    stored.letters_requested = row.count(9)?;
    Ok(stored)
}

fn stored_segment(row: &Row, lanes: LaneCount) -> Result<StoredSegment, sqlx::Error> {
    let mut stored = StoredSegment::new(segment(row, 2)?, progress(row, 10, lanes)?);
    stored.epoch = Epoch::new(row.count(4)?);
    stored.handled = row.count(5)?;
    stored.saved_at = row.timestamp(6)?;
    stored.owner = row.optional_text(11)?.map(Into::into);
    stored.stopped = row.optional_text(12)?.map(Into::into);
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
